package tools

import "strings"

// Effects says what a tool's calls do to the world outside the conversation. They are bits: a tool that fetches a page
// and stores it has Network|Writes. What needs a person's approval is decided from them, by the agent's policy.
type Effects uint8

const (
	// Reads marks a tool that looks at data outside the conversation: files, databases, devices.
	Reads Effects = 1 << iota
	// Writes marks a tool that changes something that outlives the call.
	Writes
	// Network marks a tool that talks to other machines.
	Network

	// Pure is no effect at all: the result depends on the arguments (and perhaps the clock) alone.
	Pure Effects = 0
	// Anything is every effect: what must be assumed of a tool that declares none.
	Anything = Reads | Writes | Network
)

// Has reports whether e contains all of the effects in other.
func (e Effects) Has(other Effects) bool { return e&other == other }

// String lists the effects ("reads, network"); no effect is "pure".
func (e Effects) String() string {
	if e&Anything == 0 {
		return "pure"
	}
	var names []string
	for _, named := range []struct {
		effect Effects
		name   string
	}{{Reads, "reads"}, {Writes, "writes"}, {Network, "network"}} {
		if e.Has(named.effect) {
			names = append(names, named.name)
		}
	}
	return strings.Join(names, ", ")
}

// EffectsOf returns what t declares by a method Effects() Effects, its own or that of a tool it wraps (see [As]).
// A tool that declares nothing is taken to do [Anything].
func EffectsOf(t Tool) Effects {
	if declaring, ok := As[interface{ Effects() Effects }](t); ok {
		return declaring.Effects()
	}
	return Anything
}

// IsRepeatable reports whether calling t twice with the same arguments is as good as calling it once, so that a call
// that may or may not have happened (a time-out, a crash) can be made again without asking. A tool says so by a method
// Repeatable() bool; one that does not is repeatable unless Writes is among its effects.
func IsRepeatable(t Tool) bool {
	if declaring, ok := As[interface{ Repeatable() bool }](t); ok {
		return declaring.Repeatable()
	}
	return !EffectsOf(t).Has(Writes)
}

package grammar

import (
	"maps"
	"slices"
)

// shrink leaves out of a schema what it fails without. What is left out is tried in order, again and again until nothing is.
func shrink(root jsonObject, fails func(jsonObject) bool) jsonObject {
	for again := true; again; {
		again = false
		for smaller := range smallerObjects(root) {
			if o := smaller.(jsonObject); fails(o) {
				root, again = o, true
				break
			}
		}
	}
	return root
}

// smallerObjects are an object without one of its members, and with one that is smaller.
func smallerObjects(o jsonObject) func(yield func(any) bool) {
	return func(yield func(any) bool) {
		for _, key := range slices.Sorted(maps.Keys(o)) {
			without := maps.Clone(o)
			delete(without, key)
			if !yield(without) {
				return
			}
		}
		for _, key := range slices.Sorted(maps.Keys(o)) {
			for smaller := range smallerValues(o[key]) {
				with := maps.Clone(o)
				with[key] = smaller
				if !yield(with) {
					return
				}
			}
		}
	}
}

// smallerValues are values that are smaller by one member or item, somewhere.
func smallerValues(v any) func(yield func(any) bool) {
	switch v := v.(type) {
	case jsonObject:
		return smallerObjects(v)
	case []any:
		return func(yield func(any) bool) {
			for i := range v {
				if !yield(slices.Delete(slices.Clone(v), i, i+1)) {
					return
				}
			}
			for i, item := range v {
				for smaller := range smallerValues(item) {
					with := slices.Clone(v)
					with[i] = smaller
					if !yield(with) {
						return
					}
				}
			}
		}
	}
	return func(func(any) bool) {}
}

package grammar

import "sync"

// The tables that nearly every schema needs are made once for all grammars: what is ready for them is found again by
// their address, and no schema takes the time of making them.
var (
	anyNumber   = sync.OnceValues(func() (*table, error) { return numberTable(nil) })
	wholeNumber = sync.OnceValues(func() (*table, error) { return numberTable([]numberAtom{{rule: numberWhole}}) })
	anyString   = sync.OnceValue(func() *table { return plainStrings(spelling{quote: '"'}) })
	anyPython   = sync.OnceValue(func() *table { return plainStrings(spelling{quote: '\'', python: true}) })
	anyDouble   = sync.OnceValue(func() *table { return plainStrings(spelling{quote: '"', python: true}) })
)

// plainStrings reads any string. Its label is that of no language.
func plainStrings(how spelling) *table {
	return anyCharacters.spelled(&how, func(uint64) bool { return true })
}

// commonNumberTable is numberTable, which makes the tables of numbers and of whole numbers once.
func commonNumberTable(atoms []numberAtom) (*table, error) {
	switch {
	case len(atoms) == 0:
		return anyNumber()
	case len(atoms) == 1 && atoms[0].rule == numberWhole:
		return wholeNumber()
	}
	return numberTable(atoms)
}

// plainTable is the table of any string in a spelling, between its quotes.
func (s *spelling) plainTable() *table {
	switch {
	case !s.python:
		return anyString()
	case s.quote == '"':
		return anyDouble()
	}
	return anyPython()
}

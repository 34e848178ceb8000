package memory

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"
	"unicode"
)

// The constants of BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009), at their usual values.
const (
	saturation    = 1.2  // k1: how soon more of the same word counts for nothing
	normalization = 0.75 // b: how much a long text is held against it
)

// maxQueryWords bounds the work of a query.
const maxQueryWords = 50

// Recall returns at most n memories that share words with the query, best first; of equally good ones the newer first.
// Words that are in almost any text do not count, unless the query has no others. Case, and the plural of English words, make
// no difference.
func (s *Store) Recall(ctx context.Context, query string, n int) ([]Memory, error) {
	words := queryWords(query)
	db, err := s.open(ctx, false)
	if err != nil || db == nil || len(words) == 0 || n <= 0 {
		return nil, err
	}
	type scored struct {
		Memory
		score float64
	}
	var found []scored
	err = db.Read(ctx, func(tx *sql.Tx) error {
		var total, average float64
		if err := tx.QueryRowContext(ctx, "SELECT count(*), coalesce(avg(length), 0) FROM memory").Scan(&total, &average); err != nil {
			return err
		}
		scores := map[int64]float64{}
		for _, word := range words {
			if err := addScores(ctx, tx, word, total, average, scores); err != nil {
				return err
			}
		}
		for id, score := range scores {
			found = append(found, scored{Memory{ID: id}, score})
		}
		slices.SortFunc(found, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.ID, a.ID)) })
		found = found[:min(n, len(found))]
		for i := range found {
			m, err := one(tx.QueryRowContext(ctx, "SELECT id, text, created FROM memory WHERE id = ?", found[i].ID))
			if err != nil {
				return err
			}
			found[i].Memory = m
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]Memory, len(found))
	for i, f := range found {
		list[i] = f.Memory
	}
	return list, nil
}

// addScores adds to each memory that has a word what the word says for it.
func addScores(ctx context.Context, tx *sql.Tx, word string, total, average float64, scores map[int64]float64) error {
	rows, err := tx.QueryContext(ctx, "SELECT w.memory, w.count, m.length FROM word w JOIN memory m ON m.id = w.memory WHERE w.word = ?", word)
	if err != nil {
		return err
	}
	defer rows.Close()
	having := map[int64]float64{} // how often each has it, held against its length
	for rows.Next() {
		var id int64
		var count, length float64
		if err := rows.Scan(&id, &count, &length); err != nil {
			return err
		}
		having[id] = count * (saturation + 1) / (count + saturation*(1-normalization+normalization*length/max(average, 1)))
	}
	rare := math.Log(1 + (total-float64(len(having))+0.5)/(float64(len(having))+0.5))
	for id, weight := range having {
		scores[id] += rare * weight
	}
	return rows.Err()
}

// common are words that say nothing of what a text is about.
var common = strings.Fields(`a an and are as at be been but by can could did do does for from had has have he her him his how i if in is it its me my
	of on or our she so than that the their them then there they this to was we were what when where which who whom whose why will with would you your
	about user remember know tell please`)

// queryWords are the words of a query that say something, each once.
func queryWords(query string) []string {
	all := splitWords(query)
	words := slices.DeleteFunc(slices.Clone(all), func(w string) bool { return slices.Contains(common, w) })
	if len(words) == 0 {
		words = all
	}
	slices.Sort(words)
	words = slices.Compact(words)
	return words[:min(len(words), maxQueryWords)]
}

// countWords tells how often each word is in a text, and how many words there are in all.
func countWords(text string) (counts map[string]int, length int) {
	counts = map[string]int{}
	for _, word := range splitWords(text) {
		counts[word]++
		length++
	}
	return counts, length
}

// splitWords returns the words of a text, in lower case and without an English plural. Scripts that put no spaces between words
// are split into characters.
func splitWords(text string) (words []string) {
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, singular(string(word)))
			word = word[:0]
		}
	}
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			flush()
			words = append(words, string(r))
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			word = append(word, unicode.ToLower(r))
		case r == '\'' || r == '’': // Ann's is Anns: a plural, and so Ann
		default:
			flush()
		}
	}
	flush()
	return words
}

// singular takes the ending of a plural from a word that may have one. It need not be right, only the same for both.
func singular(word string) string {
	switch {
	case len(word) > 4 && strings.HasSuffix(word, "ies"):
		return word[:len(word)-3] + "y"
	case len(word) > 4 && (strings.HasSuffix(word, "ches") || strings.HasSuffix(word, "shes") || strings.HasSuffix(word, "sses") || strings.HasSuffix(word, "xes")):
		return word[:len(word)-2]
	case len(word) > 3 && strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && !strings.HasSuffix(word, "us") && !strings.HasSuffix(word, "is"):
		return word[:len(word)-1]
	}
	return word
}

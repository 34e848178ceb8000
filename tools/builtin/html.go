package builtin

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// blocks are the elements that begin and end a line.
var blocks = []atom.Atom{
	atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Caption, atom.Dd, atom.Details, atom.Dialog, atom.Div,
	atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer, atom.Form, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5,
	atom.H6, atom.Header, atom.Hr, atom.Legend, atom.Li, atom.Main, atom.Nav, atom.Ol, atom.P, atom.Pre, atom.Section, atom.Summary,
	atom.Table, atom.Title, atom.Tr, atom.Ul, atom.Option, atom.Br,
}

// spaced are the blocks with an empty line around them.
var spaced = []atom.Atom{
	atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Ul, atom.Ol, atom.Blockquote, atom.Pre, atom.Title,
}

// unseen are the elements whose content is not for reading.
var unseen = []atom.Atom{atom.Script, atom.Style, atom.Template, atom.Svg, atom.Iframe, atom.Object, atom.Canvas, atom.Noframes, atom.Noembed}

// htmlToText gives what a reader of a page sees, with the marks that models know from Markdown: # for headings, - for items, links as
// [text](address) with addresses relative to from resolved. It reads tokens and builds no tree, so that its time grows with the
// length alone, whatever the page does.
func htmlToText(page string, from *url.URL) string {
	w := textWriter{base: from}
	tokens := html.NewTokenizer(strings.NewReader(page))
	var hidden atom.Atom // the element being left out
	depth := 0           // how many of its name are open
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return w.text()
		}
		token := tokens.Token()
		switch {
		case hidden != 0:
			if token.DataAtom == hidden && kind == html.StartTagToken {
				depth++
			}
			if token.DataAtom == hidden && kind == html.EndTagToken {
				depth--
			}
			if depth == 0 {
				hidden = 0
			}
		case kind == html.TextToken:
			w.write(token.Data)
		case kind == html.StartTagToken && slices.Contains(unseen, token.DataAtom):
			hidden, depth = token.DataAtom, 1
		case kind == html.StartTagToken || kind == html.SelfClosingTagToken:
			w.open(token)
		case kind == html.EndTagToken:
			w.close(token.DataAtom)
		}
	}
}

// textWriter joins the pieces of a page: white space counts once, and lines begin where blocks do.
type textWriter struct {
	base   *url.URL
	out    strings.Builder
	breaks int    // line breaks owed before the next text
	space  bool   // a space owed before the next text
	pre    int    // open elements whose white space counts
	fresh  bool   // an item has begun and has no text: a block inside it begins on the same line
	cells  int    // cells written in this row
	link   string // where the open link leads
	marked bool   // the link's bracket is written
}

func (w *textWriter) text() string {
	w.closeLink()
	return strings.TrimSpace(w.out.String())
}

func (w *textWriter) open(token html.Token) {
	w.line(token.DataAtom)
	switch token.DataAtom {
	case atom.Pre:
		w.pre++
	case atom.Li:
		w.put("- ")
		w.fresh = true
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.put(strings.Repeat("#", int(token.Data[1]-'0')) + " ")
	case atom.Tr:
		w.cells = 0
	case atom.Td, atom.Th:
		if w.cells > 0 {
			w.space = false
			w.put(" | ")
		}
		w.cells++
	case atom.Img:
		if alt := strings.TrimSpace(attribute(token, "alt")); alt != "" {
			w.write("[image: " + alt + "]")
		}
	case atom.Base:
		if u, err := w.base.Parse(attribute(token, "href")); err == nil {
			w.base = u
		}
	case atom.A:
		w.closeLink()
		u, err := w.base.Parse(strings.TrimSpace(attribute(token, "href")))
		if err == nil && (u.Scheme == "http" || u.Scheme == "https") && !strings.HasPrefix(attribute(token, "href"), "#") {
			w.link = u.String()
		}
	}
}

func (w *textWriter) close(name atom.Atom) {
	switch name {
	case atom.A:
		w.closeLink()
	case atom.Pre:
		w.pre = max(0, w.pre-1)
	case atom.Li:
		w.fresh = false
	}
	w.line(name)
}

func (w *textWriter) line(name atom.Atom) {
	switch {
	case w.fresh:
	case slices.Contains(spaced, name):
		w.breaks = max(w.breaks, 2)
	case name == atom.Br:
		w.breaks = min(w.breaks+1, 2)
	case slices.Contains(blocks, name):
		w.breaks = max(w.breaks, 1)
	}
}

// closeLink ends a link that has text; one without is left out.
func (w *textWriter) closeLink() {
	if w.marked {
		w.out.WriteString("](" + w.link + ")")
	}
	w.link, w.marked = "", false
}

// put writes a mark, after the white space that is owed, and owes none after it.
func (w *textWriter) put(mark string) {
	w.settle()
	w.out.WriteString(mark)
}

func (w *textWriter) settle() {
	if w.out.Len() > 0 {
		switch {
		case w.breaks > 0:
			w.out.WriteString("\n\n"[:w.breaks])
		case w.space:
			w.out.WriteByte(' ')
		}
	}
	w.breaks, w.space = 0, false
}

func (w *textWriter) begin() {
	w.settle()
	w.fresh = false
	if w.link != "" && !w.marked {
		w.out.WriteByte('[')
		w.marked = true
	}
}

func (w *textWriter) write(text string) {
	if w.pre > 0 {
		if text != "" {
			w.begin()
			w.out.WriteString(text)
		}
		return
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		w.space = w.space || text != ""
		return
	}
	if first := text[0]; first == ' ' || first == '\n' || first == '\t' || first == '\r' {
		w.space = true
	}
	w.begin()
	w.out.WriteString(strings.Join(words, " "))
	last := text[len(text)-1]
	w.space = last == ' ' || last == '\n' || last == '\t' || last == '\r'
}

func attribute(token html.Token, name string) string {
	for _, a := range token.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

package builtin

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

var testPage = &url.URL{Scheme: "https", Host: "example.com", Path: "/a/b.html"}

func TestHTMLToText(t *testing.T) {
	for _, c := range []struct{ html, want string }{
		{"<title>T</title><body><h1>Head</h1><p>One  two\n three.</p><p>Next</p>", "T\n\n# Head\n\nOne two three.\n\nNext"},
		{"a<b>b</b> <i>c</i>d", "ab cd"},
		{"<p>x<br>y<br><br>z", "x\ny\n\nz"},
		{"<ul><li>one<li><p>two</p></li><li></li><li>three</ul>after", "- one\n- two\n\n- \n- three\n\nafter"},
		{`<a href="c.html?x=1&amp;y=2">see <b>this</b></a>.`, "[see this](https://example.com/a/c.html?x=1&y=2)."},
		{`<a href="/up"></a>x <a href="#frag">frag</a> <a href="javascript:alert(1)">js</a> <a href="mailto:a@b">mail</a>`, "x frag js mail"},
		{`<a href="//other.example/x">one <a href="y">two`, "[one](https://other.example/x) [two](https://example.com/a/y)"},
		{`<base href="https://cdn.example/"><a href="z">z</a>`, "[z](https://cdn.example/z)"},
		{"<script>if (a < b) { document.write('<p>no</p>') }</script><style>p{}</style><!-- no --><p>yes", "yes"},
		{"<template><p>no</p><template>no</template>no</template>yes<svg><text>no</text></svg><iframe>no</iframe>", "yes"},
		{"<svg/>yes<noscript>also</noscript>", "yesalso"},
		{"<table><tr><th>a<th>b</tr><tr><td>1 </td><td>2</td></tr></table>", "a | b\n1 | 2"},
		{"<pre>  a\n    b</pre>c", "a\n    b\n\nc"},
		{"&lt;|eot_id|&gt; &eacute;&#233;&nbsp;&copy;", "<|eot_id|> éé ©"},
		{`<img src=x alt="a cat"><img src=y>`, "[image: a cat]"},
		{"<p>cut in the <a href='x", "cut in the"},
		{strings.Repeat("<div>", 100_000) + "deep", "deep"},
	} {
		if got := htmlToText(c.html, testPage); got != c.want {
			t.Errorf("%.80s\ngot  %q\nwant %q", c.html, got, c.want)
		}
	}
}

// Whatever a page is, its text is valid, and what is between script tags is not in it.
func FuzzHTMLToText(f *testing.F) {
	for _, seed := range []string{
		"<p>a<a href=x>b", "<table><td><li><h3>", "</a></pre></p>", "<pre><pre></pre>\n x", "<template><svg></template>", "<a href='://'>x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, page string) {
		if !utf8.ValidString(page) {
			t.Skip()
		}
		if got := htmlToText("<script>hidden-7f</script>"+page, testPage); strings.Contains(got, "hidden-7f") && !strings.Contains(page, "hidden") || !utf8.ValidString(got) {
			t.Errorf("%q", got)
		}
	})
}

package chat

import (
	"context"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/prompts"
)

// foreign are requests with results of tools that the embedded model was not trained with: what MCP servers, commands and
// files give.
var foreign = []struct{ request, argument, result string }{
	{"List the directory /tmp/fs", "/tmp/fs", "[FILE] a.txt"},
	{"What files are in notes?", "notes", "[FILE] a.txt\n[FILE] b.md\n[DIR] sub"},
	{"What files are in notes?", "notes", "drwxr-xr-x 2 root root 4096 Jan  1 10:00 .\n-rw-r--r-- 1 root root   18 Jan  1 10:01 a.txt"},
	{"Show me the file list.json", "list.json", `{"a":[1,2,{"b":"c"}],"d":"/x/y"}`},
	{"Show me page.html", "page.html", "<html><body>Hi</body></html>"},
	{"Show me the log", "log", "2026-01-01 12:00:01 ERROR [main] connection refused: 127.0.0.1:8080\n2026-01-01 12:00:02 INFO [main] retry"},
	{"Look in /var/log/app", "/var/log/app", "Error: ENOENT: no such file or directory, open '/var/log/app'"},
	{"What is the weather in Rome?", "Rome", `{"city":"Rome","temperature":21.5,"unit":"C","conditions":"sunny","humidity":0.4}`},
	{"Find users named Ann", "Ann", `[{"id":17,"name":"Ann Lee","email":"ann@example.com"},{"id":23,"name":"Ann Roe","email":"roe@example.org"}]`},
	{"What does main.go say?", "main.go", "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"hello, world\", 1<<20)\n}\n"},
	{"Show the table", "table", "| name | qty |\n|------|-----|\n| pens | 12 |\n| ink | 3 |"},
	{"Who is logged in?", "who", "ann      pts/0        2026-11-26 08:12 (10.0.0.7)\nbob      tty1         2026-11-25 22:40"},
	{"Get the config", "config.yaml", "server:\n  host: 0.0.0.0\n  port: 8080\nfeatures:\n  - a\n  - b"},
	{"Read the csv", "d.csv", "id,name,price\n1,pen,1.20\n2,ink,3.40\n3,\"paper, A4\",5.00"},
	{"Run the tests", "tests", "--- FAIL: TestA (0.00s)\n    a_test.go:12: got 3, want 4\nFAIL\nexit status 1"},
	{"Which branch?", "branch", "* main 1a2b3c4 [ahead 2] fix: parse \"x\"\n  dev  9f8e7d6 wip"},
	{"What is the URL?", "url", "https://example.com/a/b?c=d&e=%20f#g"},
	{"Query the database", "orders", "count(*)|sum(price)\n42|1999.50"},
	{"What is in the XML?", "note.xml", `<?xml version="1.0"?><note id="7"><to>Ann</to><body>Call &amp; ask</body></note>`},
	{"Search the docs for tokens", "tokens", "1. doc.md#L12: \"Tokens are ids.\" (score 0.87)\n2. faq.md#L3: \"Why tokens?\" (score 0.61)"},
	{"Create the entity", "Ann", "[\n  {\n    \"name\": \"Ann\",\n    \"entityType\": \"person\",\n    \"observations\": [\n      \"likes tea\"\n    ]\n  }\n]"},
	{"What is the status?", "status", `{"success":true,"data":null,"error":null}`},
	{"Get it", "it", "null"},
	{"Get it", "it", "[]"},
	{"Wo ist das Buch?", "Buch", `{"ergebnis":"Regal 7, Fach „B“ – unten"}`},
	{"Do it", "it", "OK"},
	{"Do it", "it", `{"ok":true}`},
}

// Whatever a tool gives, the embedded model's answer ends, and isn't much longer than what it tells: nearly always, for what it was
// never trained with.
func TestAnswersFromForeignResults(t *testing.T) {
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	m, err := New(weights)
	if err != nil {
		t.Fatal(err)
	}
	ended, told := 0, 0
	for _, c := range foreign {
		request := prompts.Request{
			Messages: []prompts.Message{
				prompts.User(c.request),
				{Role: prompts.RoleAssistant, ToolCalls: []prompts.ToolCall{{ID: "1", Name: "get_entry", Arguments: []byte(`{"key":"` + c.argument + `"}`)}}},
				{Role: prompts.RoleTool, ToolCallID: "1", Name: "get_entry", Content: c.result},
			},
			Tools:     []prompts.ToolDefinition{{Name: "get_entry", Description: "Get an entry.", Parameters: []byte(`{"type":"object","properties":{"key":{"type":"string"}},"required":["key"]}`)}},
			MaxTokens: 1024,
		}
		var answer string
		var reason prompts.StopReason
		for delta, err := range m.Generate(context.Background(), request) {
			if err != nil {
				t.Fatal(err)
			}
			if answer += delta.Text; delta.Done != nil {
				reason = delta.Done.StopReason
			}
		}
		if reason == prompts.StopReasonStop && len(answer) <= 2*len(c.result)+100 {
			ended++
		} else {
			t.Logf("%q: %s after %d bytes: %.200q", c.result, reason, len(answer), answer)
		}
		if strings.Contains(answer, strings.TrimSpace(c.result)) {
			told++
		} else {
			t.Logf("%q: %.200q", c.result, answer)
		}
	}
	t.Logf("of %d answers %d end, %d repeat the result to the letter", len(foreign), ended, told)
	if ended < len(foreign)-2 {
		t.Errorf("%d of %d answers do not end", len(foreign)-ended, len(foreign))
	}
}

// Package mcp speaks the Model Context Protocol in both directions: the tools of an MCP server become tools of ours, and
// tools of ours are served to whoever speaks it. It stands on the official SDK, github.com/modelcontextprotocol/go-sdk.
//
// [Command] starts a server as a process and talks to it over its standard input and output; [Dial] talks to one over
// streamable HTTP. [Combine] puts the tools of several servers beside others, so that no two have one name. A server's
// process ends with its [Client]; one that dies or hangs is an error of the call, with the process's last words.
//
// [NewServer] serves tools of ours: [Server.Serve] on a pair of streams, [Server.Handler] over HTTP.
//
// A server is not trusted. What it says of its tools' effects is ignored unless [Options.TrustAnnotations] is set, so that
// calls ask for approval; it cannot take the name of another tool; schemas that cannot be checked leave their tool out;
// what it sends is bounded in size and in time. Its descriptions and results are read by the model all the same: connect to
// servers that you would also install.
//
// Only tools: resources, prompts, sampling, roots and elicitation are neither asked for nor offered.
package mcp

// Package builtin has tools that most agents want: arithmetic, the time, units, and files in a folder that they cannot leave.
//
// Each has a constructor; [All] makes the set that an agent may have without a second thought: none of them writes or reaches the
// network. What does is only there for those who name it:
//
//   - [WriteFile] and [EditFile] change files in a folder that they cannot leave
//   - [RunCommand] runs a shell command, with nothing between it and the machine but whoever approves
//   - [HTTPGet] fetches a page of the public internet, as text
//
// More are in packages of their own, because they link SQLite: tools/builtin/sqlquery and tools/builtin/memory.
package builtin

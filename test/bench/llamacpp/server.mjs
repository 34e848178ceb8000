// An OpenAI-compatible server of chat completions on llama.cpp, for measuring: node server.mjs MODEL.gguf
//
// It prints its address, then answers
//   POST /v1/chat/completions  as OpenAI's, streaming or not. The prompt is rendered in Llama 3.2's template and keeps what
//                              the context has of its beginning.
//   POST /script               {"replies": [[ids], …]}: what reply k of a conversation says. The model computes and samples
//                              every token of it, one at a time, and then goes on with the id of the script.
//   POST /reset                forgets the context.
//   GET  /last                 what the last completion read and how long it took, and the process's CPU time.
import http from "node:http";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath: process.argv[2]});
const context = await model.createContext({contextSize: 8192, sequences: 1, batchSize: 512, threads: {ideal: 1, min: 1}});
const sequence = context.getSequence();

let replies = [];
let last = {};

// json writes a value as Python does, which is what Llama's template asks for.
function json(value) {
    if (Array.isArray(value)) return "[" + value.map(json).join(", ") + "]";
    if (value !== null && typeof value === "object")
        return "{" + Object.entries(value).map(([k, v]) => JSON.stringify(k) + ": " + json(v)).join(", ") + "}";
    return JSON.stringify(value);
}

const header = (role) => `<|start_header_id|>${role}<|end_header_id|>\n\n`;

// render returns the prompt as pieces: text, or the ids of a reply that was written here.
function render({messages, tools}) {
    const rest = [...messages];
    const system = rest[0].role === "system" ? rest.shift().content.trim() : "";
    let head = "<|begin_of_text|>" + header("system");
    if (tools) head += "Environment: ipython\n";
    head += "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
    if (tools) {
        head += "You have access to the following functions. To call a function, please respond with JSON for a function call." +
            `Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.` +
            "Do not use variables.\n\n";
        for (const tool of tools) head += JSON.stringify(tool, null, 4) + "\n\n";
    }
    const pieces = [head + system + "<|eot_id|>"];
    let reply = 0;
    for (const m of rest) {
        if (m.role === "assistant") {
            pieces.push(header("assistant"), replies[reply++], "<|eot_id|>");
        } else if (m.role === "tool") {
            pieces.push(header("ipython") + json(m.content) + "<|eot_id|>");
        } else {
            pieces.push(header(m.role) + m.content.trim() + "<|eot_id|>");
        }
    }
    pieces.push(header("assistant"));
    return {pieces, reply};
}

// tokenize makes one list of ids. Pieces of text are joined first: an encoder sees a whole text.
function tokenize(pieces) {
    const ids = [];
    let text = "";
    for (const p of [...pieces, []]) {
        if (typeof p === "string") { text += p; continue; }
        if (text) ids.push(...model.tokenize(text, true));
        text = "";
        ids.push(...p);
    }
    return ids;
}

async function complete(request) {
    const begin = performance.now();
    const {pieces, reply} = render(request);
    const script = replies[reply];
    if (!script) throw new Error(`the script has no reply ${reply}`);
    const prompt = tokenize(pieces);
    await sequence.adaptStateToTokens(prompt, false);
    let cached = sequence.nextTokenIndex;
    if (cached >= prompt.length) {
        cached = prompt.length - 1;
        await sequence.eraseContextTokenRanges([{start: cached, end: sequence.nextTokenIndex}]);
    }
    const read = performance.now();
    const writer = sequence.evaluate(prompt.slice(cached), {temperature: 0, yieldEogToken: true});
    await writer.next(); // the first token is sampled from the prompt's logits
    const decode = performance.now();
    for (let i = 0; i + 1 < script.length; i++) await writer.next(script[i]);
    const end = performance.now();
    await writer.return();
    last = {
        prompt: pieces.map((p) => typeof p === "string" ? p : model.detokenize(p, true)).join(""), ids: prompt, computed: sequence.contextTokens.length,
        prompt_tokens: prompt.length, cached_tokens: cached, completion_tokens: script.length,
        prefill_ms: decode - read, decode_ms: end - decode, other_ms: read - begin,
    };
    return script;
}

// message reads a reply as every server does: JSON with a name is a call.
function message(script) {
    const text = model.detokenize(script, false);
    try {
        const call = JSON.parse(text);
        if (typeof call.name === "string" && call.parameters)
            return {role: "assistant", content: "", tool_calls: [{
                id: "call_" + Math.random().toString(36).slice(2), type: "function",
                function: {name: call.name, arguments: JSON.stringify(call.parameters)},
            }]};
    } catch { /* it is text */ }
    return {role: "assistant", content: text};
}

async function chat(request) {
    const script = await complete(request);
    const m = message(script);
    return {
        id: "chatcmpl-1", object: "chat.completion", created: Math.floor(Date.now() / 1000), model: request.model,
        choices: [{index: 0, message: m, finish_reason: m.tool_calls ? "tool_calls" : "stop"}],
        usage: {
            prompt_tokens: last.prompt_tokens, completion_tokens: last.completion_tokens,
            total_tokens: last.prompt_tokens + last.completion_tokens,
            prompt_tokens_details: {cached_tokens: last.cached_tokens},
        },
    };
}

const routes = {
    "POST /v1/chat/completions": chat,
    "POST /script": async (body) => { replies = body.replies; return {}; },
    "POST /reset": async () => { await sequence.clearHistory(); return {}; },
    "GET /last": async () => ({...last, cpu_us: process.cpuUsage().user + process.cpuUsage().system}),
};

const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
        const route = routes[`${request.method} ${request.url}`];
        if (!route) throw new Error(`there is no ${request.method} ${request.url}`);
        const body = JSON.stringify(await route(chunks.length ? JSON.parse(Buffer.concat(chunks)) : {}));
        response.writeHead(200, {"content-type": "application/json"}).end(body);
    } catch (err) {
        response.writeHead(400, {"content-type": "application/json"}).end(JSON.stringify({error: {message: String(err)}}));
    }
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));

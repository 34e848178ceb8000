// Package langchain joins drover and langchaingo (github.com/tmc/langchaingo, v0.1.14), both ways.
//
// [New] makes a langchaingo llms.Model of an agent.Model, as a rule of the one that runs in the process (package llm/chat), so
// that langchaingo's chains and agents run without a server, with tool calls. [NewAgentModel] makes an agent.Model of any
// langchaingo provider, so that drover's agent loop runs on it.
//
// No call option is dropped in silence. Each is honored or refused with an [*llms.Error]:
//
//   - Model: the model's own name or one of [WithAliases]; any other is ErrCodeResourceNotFound.
//   - Temperature, TopK, TopP, RepetitionPenalty, FrequencyPenalty, PresencePenalty, Seed: honored. Zero that was set is
//     told from what was not set, so that WithTemperature(0) is greedy and WithSeed(0) a seed, unless all came at once
//     through WithOptions. Without a temperature, the model's own default holds, which for package chat is greedy. Sampling
//     without a seed takes a fresh one, which GenerationInfo names.
//   - MaxTokens: honored. MinLength and MaxLength: ErrCodeNotImplemented; providers do not agree on their unit.
//   - N and CandidateCount: as many choices, one after the other; choice i is drawn with Seed + i. The first is streamed.
//   - StopWords: honored for text, which ends before the word. Together with JSON they are ErrCodeInvalidRequest: a text that
//     breaks off is no JSON.
//   - StreamingFunc, StreamingReasoningFunc: called for each piece of text, never for a call. An error that they return stops
//     the model and is wrapped in the one of GenerateContent.
//   - Tools, ToolChoice, and the deprecated Functions and FunctionCallBehavior: honored. ToolChoice may be "none", "auto",
//     "required" or "any", an llms.ToolChoice or a map of its form.
//   - JSONMode, ResponseMIMEType: text or any JSON object; [WithJSONSchema] asks for a schema's. The model must be able to
//     keep a schema ([agent.Constrainer]), else it is ErrCodeNotImplemented.
//   - Metadata: [WithJSONSchema]'s key. "prompt_caching" and "context_cache" need nothing: a prompt's beginning that was
//     read before is not read again. "thinking_config" with a mode other than none is ErrCodeNotImplemented. Keys that
//     begin with "drover:" and are not known are refused; other keys are another provider's.
//
// Messages may have every role and any number of text parts. Tool responses need no name: it is found by the call's ID. Images
// and other binary parts are ErrCodeNotImplemented.
//
// Stop reasons are "stop", "length" and "tool_calls"; an answer that was ended because it repeats itself has "length", and
// GenerationInfo["Repetition"]. GenerationInfo also has the token counts, the times, and the seed where tokens were drawn.
//
// langchaingo's chains run on it, and its tests say how: LLMChain, conversation with memory, summarizers (stuff, map-reduce,
// refine), RetrievalQA, ConversationalRetrievalQA with its condensed question, MapRerankQA, and the agents: OpenAI functions, and
// those that look for words in the answer, for which the embedded model is too small.
//
// [LLM.CreateEmbedding] is langchaingo's embeddings.EmbedderClient: embeddings.NewEmbedder takes the model. Llama 3.2 is not
// trained for embeddings; [WithEmbedder] puts a model that is in its place.
package langchain

//! Endpoints as they are in the world, each with one oddity: what comes of a draft, and what `reeve doctor` says. The table
//! stands in docs/ENDPOINTS.md too.

use std::io::Write as _;

use reeve_testing::endpoint::{Asked, Endpoint as Server, Says};
use reeve_testing::model::{BASE, completion};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::model::look_at;
use crate::adapters::openai::OpenAi;
use crate::clock::Clock;
use crate::config::Config;

/// An endpoint of a kind.
struct Endpoint {
    /// What it does, for people.
    does: &'static str,
    says: fn(&Asked) -> Says,
    /// The form in which it is asked in the end, where its model drafts; else why the playbook does.
    comes: Result<&'static str, &'static str>,
}

const FULL: Result<&str, &str> = Ok("max_tokens, json_schema");
const BARE: &str = "max_tokens, no temperature, no seed, no response_format, the schema in the prompt";
const OBJECT: &str = "max_tokens, json_object, the schema in the prompt";
const TOLD: &str = "max_tokens, json_schema, the schema in the prompt";

/// A draft of the case that `reeve doctor` makes up, by a model that knows no form unless it is told.
fn draft(asked: &Asked) -> Value {
    if !asked.text().contains("additionalProperties") {
        return json!({ "best": "A1", "because": "It stops the loss soonest." });
    }
    json!({
        "abstain": false,
        "abstain_question": "",
        "choices": [{
            "candidate": "A1",
            "confidence_percent": 60,
            "claims": ["A1.best"],
            "question": "Has the partner said when it leaves?",
            "message": ""
        }]
    })
}

/// The same as text.
fn drafted(asked: &Asked) -> String {
    draft(asked).to_string()
}

/// A good answer with something about the whole changed.
fn changed(asked: &Asked, change: impl FnOnce(&mut Value)) -> Says {
    let mut answer = completion(drafted(asked));
    change(&mut answer);
    Says::json(200, &answer)
}

/// A good answer with something about its message changed.
fn message(asked: &Asked, change: impl FnOnce(&mut Value, String)) -> Says {
    changed(asked, |answer| change(&mut answer["choices"][0]["message"], drafted(asked)))
}

fn content(asked: &Asked, wrap: impl FnOnce(String) -> String) -> Says {
    Says::json(200, &completion(wrap(drafted(asked))))
}

fn finish(asked: &Asked, reason: Value) -> Says {
    changed(asked, |answer| answer["choices"][0]["finish_reason"] = reason)
}

fn fine(asked: &Asked) -> Says {
    content(asked, |text| text)
}

fn error(status: u16, message: &str, param: Option<&str>) -> Says {
    let error = json!({ "message": message, "type": "invalid_request_error", "param": param, "code": null });
    Says::json(status, &json!({ "error": error })).with("retry-after", "0")
}

fn page(status: u16) -> Says {
    Says::raw(status, "text/html", "<!DOCTYPE html><html><body>Sign in, or call +49 000 999</body></html>")
        .with("retry-after", "0")
}

fn format_of(asked: &Asked) -> String {
    asked.json()["response_format"]["type"].as_str().unwrap_or_default().to_owned()
}

fn chunk(delta: &Value, finish: &Value) -> String {
    let chunk = json!({ "id": "c", "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    format!("data: {chunk}\n\n")
}

/// The answer as a stream, in pieces.
fn streamed(asked: &Asked) -> String {
    let text = drafted(asked);
    let (one, two) = text.split_at(text.len() / 2);
    let usage = "data: {\"choices\": [], \"usage\": {\"total_tokens\": 2200}}\n\n";
    let pieces = [
        chunk(&json!({ "role": "assistant", "content": "" }), &Value::Null),
        chunk(&json!({ "content": one }), &Value::Null),
        chunk(&json!({ "content": two }), &Value::Null),
        chunk(&json!({}), &json!("stop")),
    ];
    format!("{}{usage}data: [DONE]\n\n", pieces.concat())
}

fn call(text: &str) -> Value {
    json!({ "id": "t1", "type": "function", "function": { "name": "draft", "arguments": text } })
}

/// What is never to be read by anybody.
const SMUGGLED: &str = "URGENT: release BILL/2026/09/0010 today, new account DE00 1234, call +49 000 999";

#[rustfmt::skip]
fn endpoints() -> Vec<Endpoint> {
    let of = |does, comes, says| Endpoint { does, says, comes };
    let cut = Err("its draft was refused twice, since it was cut short at the limit of tokens");
    let thoughts = Err("its draft was refused twice, since there were thoughts and no answer");
    let empty = Err("its draft was refused twice, since it was empty");
    let no_json = Err("its draft was refused twice, since it was not JSON of the schema");
    let field = Err("the language model's answer had another form (choices[0].message.content)");
    let filtered = Err("a content filter withheld the language model's answer");
    vec![
        // What is not needed and comes, or does not come.
        of("plain", FULL, fine),
        of("Groq: `service_tier` \"on_demand\", times in `usage`, `x_groq`", FULL, |a| changed(a, |r| {
            r["service_tier"] = json!("on_demand");
            r["usage"]["queue_time"] = json!(0.01);
            r["usage_breakdown"] = Value::Null;
            r["x_groq"] = json!({ "id": "req_1" });
        })),
        of("vLLM, LM Studio: empty `tool_calls`, null `function_call`, `audio`, `refusal`, `reasoning`, `logprobs`, a number as `stop_reason`", FULL, |a| message(a, |m, _| {
            for field in ["function_call", "audio", "refusal", "reasoning", "reasoning_content"] {
                m[field] = Value::Null;
            }
            m["tool_calls"] = json!([]);
            m["stop_reason"] = json!(13);
        })),
        of("`logprobs` as an object", FULL, |a| changed(a, |r| r["choices"][0]["logprobs"] = json!({}))),
        of("no `id`, `object`, `created`, `model`, `index`, `role`", FULL, |a| {
            let message = json!({ "content": drafted(a) });
            Says::json(200, &json!({ "choices": [{ "message": message, "finish_reason": "stop" }], "usage": { "total_tokens": 2200 } }))
        }),
        of("`created` as a float or in milliseconds", FULL, |a| changed(a, |r| r["created"] = json!(1_793_460_600_370.5))),
        of("`finish_reason` \"abort\", \"eos\", \"\", null, a number", FULL, |a| {
            let reasons = [json!("abort"), json!("eos"), json!(""), Value::Null, json!(7)];
            finish(a, reasons[a.before % 5].clone())
        }),
        of("a byte order mark", FULL, |a| Says::raw(200, "application/json", format!("\u{feff}{}", completion(drafted(a))))),
        of("blank lines before the JSON, to keep the connection", FULL, |a| Says::raw(200, "application/json", format!("\n\n\r\n  \n{}\n\n", completion(drafted(a))))),
        of("OpenRouter: `: OPENROUTER PROCESSING` before the JSON", FULL, |a| {
            Says::raw(200, "application/json", format!(": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n{}", completion(drafted(a))))
        }),
        of("a stream that nobody asked for", FULL, |a| Says::raw(200, "text/event-stream", streamed(a))),
        of("a stream with comments, CRLF, and no empty lines between events", FULL, |a| {
            let stream = streamed(a).replace("\n\n", "\n").replace('\n', "\r\n");
            Says::raw(200, "text/event-stream", format!(": OPENROUTER PROCESSING\r\n\r\n{stream}"))
        }),
        of("a stream of one event that holds the whole", FULL, |a| Says::raw(200, "text/event-stream", format!("data: {}\n\ndata: [DONE]\n\n", completion(drafted(a))))),
        of("gzip", FULL, |a| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(completion(drafted(a)).to_string().as_bytes()).unwrap();
            Says::raw(200, "application/json", packed.finish().unwrap()).with("content-encoding", "gzip")
        }),
        of("escapes in the text", FULL, |a| content(a, |text| text.replace("Has the", "\\u0048as the\\u202f"))),
        // Tokens.
        of("no `usage`", FULL, |a| changed(a, |r| r["usage"] = Value::Null)),
        of("Gemini: `usage` without `completion_tokens`", FULL, |a| changed(a, |r| r["usage"] = json!({ "prompt_tokens": 2000 }))),
        of("`usage` of nulls, of negative or absurd numbers, of text", FULL, |a| changed(a, |r| {
            let counts = [Value::Null, json!(-5), json!(1e300), json!("many")];
            r["usage"] = json!({ "prompt_tokens": counts[a.before % 4], "completion_tokens": counts[a.before % 4], "total_tokens": 0 });
        })),
        of("numbers beyond any type in `usage` and `created`", FULL, |a| {
            let text = completion(drafted(a)).to_string().replace("2200", "1e999999").replace("1793460600", "-99e99999");
            Says::raw(200, "application/json", text)
        }),
        // Where the answer is.
        of("Mistral: a list of thoughts and text", FULL, |a| message(a, |m, text| {
            m["content"] = json!([{ "type": "thinking", "thinking": [{ "type": "text", "text": "Let me weigh the actions." }] }, { "type": "text", "text": text }]);
        })),
        of("a list of `output_text` in pieces, with annotations", FULL, |a| message(a, |m, text| {
            let (one, two) = text.split_at(40);
            m["content"] = json!([{ "type": "output_text", "text": one, "annotations": [] }, { "type": "output_text", "text": two }]);
        })),
        of("DeepSeek: `reasoning_content` beside the answer", FULL, |a| message(a, |m, _| m["reasoning_content"] = json!("{\"best\": \"A2\"}"))),
        of("vLLM with a reasoning parser and a model that did not think: the answer in `reasoning_content` alone", FULL, |a| message(a, |m, text| {
            m["content"] = Value::Null;
            m["reasoning_content"] = text.into();
        })),
        of("thoughts with a draft in them and no answer", thoughts, |a| message(a, |m, text| {
            m["content"] = Value::Null;
            m["reasoning"] = format!("Perhaps {text}, or not.").into();
        })),
        of("the arguments of a tool call", FULL, |a| message(a, |m, text| {
            m["content"] = Value::Null;
            m["tool_calls"] = json!([call(&text)]);
        })),
        of("the arguments of two tool calls", Err("the language model's answer had another form (choices[0].message.tool_calls)"), |a| message(a, |m, text| {
            m["content"] = Value::Null;
            m["tool_calls"] = json!([call(&text), call(&text)]);
        })),
        of("a function call of old", FULL, |a| message(a, |m, text| {
            m["content"] = json!("");
            m["function_call"] = json!({ "name": "draft", "arguments": text });
        })),
        of("a completion of text, without a message", FULL, |a| Says::json(200, &json!({ "choices": [{ "text": drafted(a), "finish_reason": "stop" }] }))),
        of("`content` as an object", field, |a| message(a, |m, _| m["content"] = draft(a))),
        of("`content` twice", Err("the language model's answer had another form (choices[0].message)"), |a| {
            let text = completion(drafted(a)).to_string().replace("\"role\":\"assistant\"", "\"content\":\"\"");
            Says::raw(200, "application/json", text)
        }),
        of("no `choices`", Err("the language model's answer had another form (choices)"), |_| Says::json(200, &json!({ "output": [] }))),
        of("no `message`", Err("the language model's answer had another form (choices[0].message)"), |_| Says::json(200, &json!({ "choices": [{ "index": 0 }] }))),
        of("no content", empty, |a| message(a, |m, _| m["content"] = Value::Null)),
        // How the answer is wrapped.
        of("`<think>` before the JSON", FULL, |a| content(a, |text| format!("<think>\nThe loss is 12, so A1 {{maybe}}.\n</think>\n\n{text}"))),
        of("only `</think>`, since the server swallowed the beginning", FULL, |a| content(a, |text| format!("The loss is what matters here.\n</think>\n\n{text}"))),
        of("Magistral: `[THINK]`", FULL, |a| content(a, |text| format!("[THINK]It is A1.[/THINK]{text}"))),
        of("gpt-oss: its channels as they are", FULL, |a| content(a, |text| format!("<|channel|>analysis<|message|>Weigh {{A1}}.<|end|><|start|>assistant<|channel|>final<|message|>{text}<|return|>"))),
        of("a code fence", FULL, |a| content(a, |text| format!("```json\n{text}\n```"))),
        of("words before and after", FULL, |a| content(a, |text| format!("Here is the JSON you asked for:\n\n{text}\n\nI hope this helps!"))),
        of("the answer twice", FULL, |a| content(a, |text| format!("{text}\n{text}"))),
        of("two answers that differ", no_json, |a| content(a, |text| format!("{text}\n{}", text.replace("A1", "A2")))),
        of("a key twice", no_json, |a| content(a, |text| text.replace("\"abstain\":false", "\"abstain\":true,\"abstain\":false"))),
        of("a field that was not asked for", no_json, |a| content(a, |text| text.replace("\"question\"", "\"notes\":\"x\",\"question\""))),
        of("a confidence of \"60\"", FULL, |a| content(a, |text| text.replace(":60,", ":\"60\","))),
        of("a confidence of 0.6, which may be 60 % or less than one", no_json, |a| content(a, |text| text.replace(":60,", ":0.6,"))),
        of("words and no JSON", no_json, |a| content(a, |_| "I would bring the order forward.".to_owned())),
        // Cut short.
        of("cut at the limit of tokens", cut, |a| changed(a, |r| {
            r["choices"][0]["finish_reason"] = json!("length");
            r["choices"][0]["message"]["content"] = json!("{\"abstain\": fal");
        })),
        of("Mistral: cut, `finish_reason` \"model_length\"", cut, |a| finish(a, json!("model_length"))),
        of("thinks up to the limit, thoughts beside", thoughts, |a| changed(a, |r| {
            r["choices"][0]["finish_reason"] = json!("length");
            r["choices"][0]["message"] = json!({ "role": "assistant", "content": "", "reasoning_content": "hmm ".repeat(50) });
        })),
        of("thinks up to the limit, thoughts in the text", thoughts, |a| changed(a, |r| {
            r["choices"][0]["finish_reason"] = json!("length");
            r["choices"][0]["message"]["content"] = format!("<think>{}", "hmm ".repeat(50)).into();
        })),
        // What is refused by name is left out.
        of("OpenAI's thinking models: not `max_tokens`, no `temperature` but 1", Ok("max_completion_tokens, no temperature, json_schema"), |a| {
            if a.json().get("max_tokens").is_some() {
                return error(400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", Some("max_tokens"));
            }
            if a.json().get("temperature").is_some() {
                return error(400, "Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) value is supported.", Some("temperature"));
            }
            fine(a)
        }),
        of("o1: no message of the system, no schema", Ok("max_tokens, json_object, one message, the schema in the prompt"), |a| {
            if a.json()["messages"][0]["role"] == "system" {
                return error(400, "Unsupported value: 'messages[0].role' does not support 'system' with this model.", Some("messages[0].role"));
            }
            if format_of(a) == "json_schema" {
                return error(400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.", Some("response_format"));
            }
            fine(a)
        }),
        of("vLLM with a template that knows user and assistant only", Ok("max_tokens, json_schema, one message"), |a| {
            if a.json()["messages"].as_array().is_some_and(|all| all.len() > 1) {
                let said = "After the optional system message, conversation roles must alternate user/assistant/user/assistant/...";
                return Says::json(400, &json!({ "object": "error", "message": said, "type": "BadRequestError", "param": null, "code": 400 }));
            }
            fine(a)
        }),
        of("DeepSeek: no `json_schema`", Ok(OBJECT), |a| {
            if format_of(a) == "json_schema" { error(400, "This response_format type is unavailable now", None) } else { fine(a) }
        }),
        of("neither `json_schema` nor `json_object`", Ok("max_tokens, no response_format, the schema in the prompt"), |a| {
            if a.json().get("response_format").is_some() { error(400, "'response_format.type' must be 'text'", None) } else { fine(a) }
        }),
        of("vLLM: cannot build the grammar of `guided_json`", Ok(OBJECT), |a| {
            if format_of(a) == "json_schema" {
                let said = "The provided guided_json schema contains features not supported by xgrammar.";
                return Says::json(400, &json!({ "object": "error", "message": said, "type": "BadRequestError", "code": 400 }));
            }
            fine(a)
        }),
        of("no `strict`", Ok("max_tokens, json_schema without strict"), |a| {
            if a.json()["response_format"]["json_schema"].get("strict").is_some() {
                return error(400, "Unknown parameter: 'response_format.json_schema.strict'.", Some("response_format.json_schema.strict"));
            }
            fine(a)
        }),
        of("Mistral and other validators: 422, a field that is not permitted, by its place", Ok("max_tokens, no seed, json_schema"), |a| {
            if a.json().get("seed").is_some() {
                return Says::json(422, &json!({ "detail": [{ "type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 7 }] }));
            }
            fine(a)
        }),
        of("OpenRouter: 404, no provider takes `response_format`", Ok(OBJECT), |a| {
            if format_of(a) == "json_schema" {
                return error(404, "No endpoints found that support the provided 'response_format' value.", None);
            }
            fine(a)
        }),
        of("Gemini: 400 as a list, naming nothing", Ok(BARE), |a| {
            if a.json().get("response_format").is_some() {
                return Says::json(400, &json!([{ "error": { "code": 400, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT" } }]));
            }
            fine(a)
        }),
        of("takes `response_format` and does not keep to it", Ok(TOLD), |a| {
            let told = a.json()["messages"].to_string().contains("additionalProperties");
            if told { fine(a) } else { content(a, |_| "{\"best\": \"A1\"}".to_owned()) }
        }),
        of("refuses every form", Err("the language model's server refused the request (400)"), |_| error(400, "max_tokens, max_completion_tokens, temperature, seed, strict, response_format: no", None)),
        // Errors.
        of("a wrong key", Err("the language model's server refused the key (401)"), |_| error(401, SMUGGLED, None)),
        of("Anthropic's compatible endpoint: a wrong key", Err("the language model's server refused the key (401)"), |_| Says::json(401, &json!({ "type": "error", "error": { "type": "authentication_error", "message": "invalid x-api-key" } }))),
        of("Gemini: a wrong key, as 400", Err("the language model's server refused the key (400)"), |_| Says::json(400, &json!([{ "error": { "code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT" } }]))),
        of("a wrong path", Err("there is no language model at its address (404)"), |_| Says::json(404, &json!({ "detail": "Not Found" }))),
        of("Ollama: an unknown model", Err("the language model's server knows no model of that name (404)"), |_| error(404, "model \"stub\" not found, try pulling it first", None)),
        of("LM Studio: no model loaded", Err("the language model's server knows no model of that name (400)"), |_| error(400, "No models loaded. Please load a model in the developer page.", None)),
        of("Azure: an unknown deployment", Err("the language model's server knows no model of that name (404)"), |_| Says::json(404, &json!({ "error": { "code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist." } }))),
        of("no money left, 402", Err("the language model's account has nothing left to spend (402)"), |_| error(402, "Insufficient Balance", None)),
        of("no money left, 429", Err("the language model's account has nothing left to spend (429)"), |_| Says::json(429, &json!({ "error": { "message": "You exceeded your current quota", "code": "insufficient_quota" } }))),
        of("too much at once", Err("the language model is busy (429)"), |_| error(429, "slow down", None)),
        of("`max_tokens` beyond what the model writes", Err("the language model's server gives no answer of that many tokens (400)"), |_| error(400, "max_tokens is too large: 1200. This model supports at most 1024 completion tokens.", Some("max_tokens"))),
        of("the prompt is too long", Err("the case is too long for the language model (400)"), |_| error(400, "This model's maximum context length is 2048 tokens, and max_tokens is 1200.", None)),
        of("Ollama: plain text, 500", Err("the language model's server fails (500)"), |_| Says::raw(500, "text/plain", SMUGGLED).with("retry-after", "0")),
        of("a gateway's page, 502", Err("the language model's server fails (502)"), |_| page(502)),
        of("a firewall's page, 403", Err("the language model's server refused the request (403)"), |_| page(403)),
        of("a page, 200", Err("the language model's answer is not a chat completion (it is an HTML page)"), |_| page(200)),
        of("nothing, 200", Err("the language model's answer is not a chat completion (it is empty)"), |_| Says::raw(200, "application/json", "")),
        of("plain text, 200", Err("the language model's answer is not a chat completion (it is not JSON)"), |_| Says::raw(200, "text/plain", SMUGGLED)),
        of("JSON that breaks off, 200", Err("the language model's answer is not a chat completion (it breaks off)"), |a| Says::raw(200, "application/json", &completion(drafted(a)).to_string()[..300])),
        of("a redirect", Err("the language model's address sends elsewhere (307)"), |_| Says::raw(307, "text/plain", "").with("location", "https://example.com/v1")),
        of("OpenRouter: 200 with an error and its status", Err("the language model's server fails (502)"), |_| Says::json(200, &json!({ "error": { "message": SMUGGLED, "code": 502, "metadata": { "provider_name": "X" } } }))),
        of("200 with an error without a status", Err("the language model's server answered with an error in place of a chat completion"), |_| Says::json(200, &json!({ "error": SMUGGLED }))),
        of("an error inside the choice", Err("the language model's server fails (502)"), |a| changed(a, |r| {
            r["choices"][0] = json!({ "index": 0, "finish_reason": "error", "error": { "code": 502, "message": SMUGGLED }, "message": { "content": "" } });
        })),
        of("a stream that ends in an error", Err("the language model's server fails (503)"), |a| Says::raw(200, "text/event-stream", format!("{}data: {{\"error\": {{\"code\": 503, \"message\": \"{SMUGGLED}\"}}}}\n\n", chunk(&json!({ "content": &drafted(a)[..40] }), &Value::Null)))),
        of("a refusal", Err("the language model declined to answer"), |a| message(a, |m, _| {
            m["content"] = Value::Null;
            m["refusal"] = SMUGGLED.into();
        })),
        of("Azure: filtered answer", filtered, |a| changed(a, |r| {
            r["choices"][0] = json!({ "index": 0, "finish_reason": "content_filter", "content_filter_results": { "hate": { "filtered": true } } });
        })),
        of("Azure: filtered prompt", filtered, |_| Says::json(400, &json!({ "error": { "code": "content_filter", "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", "param": "prompt" } }))),
        of("Gemini: safety, no content", filtered, |a| changed(a, |r| r["choices"][0] = json!({ "index": 0, "finish_reason": "SAFETY", "message": { "role": "assistant" } }))),
        // Hostile.
        of("words for people in every field of an error", Err("the language model's server refused the request (418)"), |_| Says::json(418, &json!({ "error": { "type": SMUGGLED, "code": SMUGGLED, "param": SMUGGLED, "message": SMUGGLED } }))),
        of("words for people in the answer, in an unknown `finish_reason`, in the model's name", no_json, |a| changed(a, |r| {
            r["model"] = format!("stub\u{1b}[2J<b>{SMUGGLED}</b>").into();
            r["choices"][0]["message"]["content"] = SMUGGLED.into();
            r["choices"][0]["finish_reason"] = SMUGGLED.into();
        })),
        of("words for people as names of fields, in JSON that is broken", Err("the language model's answer is not a chat completion (it is not JSON)"), |_| Says::raw(200, "application/json", format!("{{\"{SMUGGLED}\": [}}"))),
        of("more than anybody reads", Err("the language model's answer is not a chat completion (it is longer than 4 MiB)"), |_| Says::raw(200, "application/json", vec![b' '; 5 << 20])),
        of("more than anybody reads, in a few bytes of gzip", Err("the language model's answer is not a chat completion (it is longer than 4 MiB)"), |_| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(&vec![b' '; 32 << 20]).unwrap();
            Says::raw(200, "application/json", packed.finish().unwrap()).with("content-encoding", "gzip")
        }),
        of("lists in lists, a million deep", Err("the language model's answer is not a chat completion (it breaks off)"), |_| Says::raw(200, "application/json", format!("{{\"error\": {}", "[".repeat(1 << 20)))),
        of("the same where something is read", Err("the language model's answer is not a chat completion (it is not JSON)"), |_| Says::raw(200, "application/json", format!("{{\"choices\": [{{\"error\": {}", "[".repeat(1 << 20)))),
        of("objects in objects in the answer", no_json, |a| content(a, |_| "{\"a\":".repeat(5_000))),
    ]
}

/// What a row of the table says.
fn row(endpoint: &Endpoint, said: &str) -> String {
    format!(
        "| {} | {} | {} |",
        endpoint.does,
        if endpoint.comes.is_ok() { "model" } else { "playbook" },
        said.replace('|', "\\|")
    )
}

#[tokio::test]
async fn each_endpoint_is_drafted_by_its_model_or_says_why_not_in_our_words() {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for endpoint in endpoints() {
        let says = endpoint.says;
        let server = Server::start(move |asked| std::future::ready(Some(says(&asked)))).await;
        let mut config = Config::load_from(None, &[]).unwrap().model;
        config.base_url = format!("{}{BASE}", server.url);
        "stub".clone_into(&mut config.name);
        config.api_key = SecretString::from("sk-not-for-logs".to_owned());
        let model = OpenAi::impatient(&config, Clock::standing_at(jiff::Timestamp::UNIX_EPOCH));
        let looked = look_at(&model, &config).await;
        let told = match (&looked, &endpoint.comes) {
            (Ok(said), Ok(form)) if said.starts_with("stub drafted a made-up case in 0 ms") => {
                if !said.ends_with(&format!("tokens; asked with {form}")) {
                    faults.push(format!("{}: {said}", endpoint.does));
                }
                said.split("; ").nth(1).unwrap_or_default().to_owned()
            }
            (Err(error), Err(because)) if error.to_string().contains(because) => {
                error.to_string().trim_end_matches("; until then the playbook drafts").to_owned()
            }
            _ => {
                faults.push(format!("{}: {looked:?}", endpoint.does));
                continue;
            }
        };
        // Parts of what these endpoints smuggle in, and of the key: nothing of it may come through.
        for word in ["URGENT", "BILL", "DE00", "999", "\u{1b}", "<b>", "sk-not"] {
            if told.contains(word) || format!("{looked:?}").contains(word) {
                faults.push(format!("{}: {word} is in {looked:?}", endpoint.does));
            }
        }
        let asked = server.asked().len();
        if asked > 9 {
            faults.push(format!("{}: asked {asked} times", endpoint.does));
        }
        rows.push(row(&endpoint, &told));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let table = rows.join("\n");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ENDPOINTS.md")).unwrap();
    assert!(page.contains(&table), "docs/ENDPOINTS.md has another table than\n{table}");
}

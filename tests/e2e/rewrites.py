"""Bodies that rules change, in odd writing, and what a node gets of them.

Between « and » stands what a client sends, a bar, and what arrives in its place; all else arrives
as it was sent. `said` is what X-Drover-Rewrite tells of it, None where nothing was changed.
`refused`: words of the refusal, where two readers could read the body differently.
"""

import re
from dataclasses import dataclass

RULES = {
    "models": [
        {"match": "short", "num_predict": {"default": 64, "max": 128}},
        {"match": "bound", "num_predict": {"max": 128}},
        {"match": "ctx*", "num_ctx": {"default": 6000, "max": 10000, "unify": False}},
        {"match": "kept", "keep_alive": "24h"},
        {"match": "gone", "fallback": ["plain"]},
    ],
    "cache": {"mode": "off"},
    "aliases": {"mine": "plain", "hf.co/My/Model:Q4": "short"},
}
# One for each context, since a model is not loaded anew for another one at once.
MODELS = [f"{name}:latest" for name in "short bound ctx ctx-long ctx-part ctx-odd kept plain".split()]

GENERATE, CHAT, EMBED = "/api/generate", "/api/chat", "/api/embed"
V1, COMPLETIONS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
MESSAGES = "/v1/messages"


@dataclass
class Row:
    route: str
    text: str
    said: str | None = None
    refused: str | None = None

    def sent(self):
        return re.sub("«(.*?)\\|(.*?)»", r"\1", self.text, flags=re.S).encode()

    def arrives(self):
        return re.sub("«(.*?)\\|(.*?)»", r"\2", self.text, flags=re.S).encode()


def option(text, model="short"):
    """As the first of the options, where the others must stay."""
    return '{"model":"%s","prompt":"x","options":{%s,"seed" : 1.0}}' % (model, text)


ROWS = {
    # How long an answer may be, native.
    "absent": Row(
        GENERATE, '{«|"options":{"num_predict":64},»"model":"short","prompt":"x"}', "num_predict=64"
    ),
    "absent behind white space": Row(
        GENERATE,
        '\r\n \t{«|"options":{"num_predict":64},»\n\t"model" : "short" ,"prompt":"x"\t}\n \r\n',
        "num_predict=64",
    ),
    "options null": Row(
        CHAT,
        '{"options" : «null|{"num_predict":64}» ,"model":"short","messages":[{}]}',
        "num_predict=64",
    ),
    "options empty": Row(
        GENERATE,
        '{"model":"short","prompt":"x","options":{«|"num_predict":64»}}',
        "num_predict=64",
    ),
    "options empty but for white space": Row(
        GENERATE,
        '{"model":"short","prompt":"x","options": {«|"num_predict":64» \n\t}}',
        "num_predict=64",
    ),
    "other options": Row(
        GENERATE, option('«|"num_predict":64,»\n "stop":["}","\\""]'), "num_predict=64"
    ),
    "null": Row(GENERATE, option('"num_predict": «null|64»'), "num_predict=64"),
    "too many": Row(GENERATE, option('"num_predict":«500|128»'), "num_predict=128"),
    "just so many": Row(GENERATE, option('"num_predict":128')),
    "no bound": Row(GENERATE, option('"num_predict":«-1|128»'), "num_predict=128"),
    "until the context is full": Row(GENERATE, option('"num_predict":«-2|128»'), "num_predict=128"),
    "none, which is no bound": Row(GENERATE, option('"num_predict":«0|128»'), "num_predict=128"),
    "minus none": Row(GENERATE, option('"num_predict":«-0|128»'), "num_predict=128"),
    "an exponent": Row(GENERATE, option('"num_predict":«1e9|128»'), "num_predict=128"),
    "a small exponent": Row(GENERATE, option('"num_predict":1.0E+2')),
    "a fraction over": Row(GENERATE, option('"num_predict":«129.5|128»'), "num_predict=128"),
    "a fraction that is cut off": Row(GENERATE, option('"num_predict":128.9')),
    "more than any integer": Row(
        GENERATE, option('"num_predict":«123456789012345678901234567890|128»'), "num_predict=128"
    ),
    "a key with escapes": Row(
        GENERATE, option('"num\\u005Fpre\\u0064ict":«500|128»'), "num_predict=128"
    ),
    "a key that only looks like it": Row(
        GENERATE,
        option('«|"num_predict":64,»"Num_Predict":500,"num_predict ":501,"num_predic":502'),
        "num_predict=64",
    ),
    "members of other objects": Row(
        GENERATE,
        '{"num_predict":500,"x":{"options":{"num_predict":500}},"model":"short","prompt":"x",'
        '"options":{"y":{"num_predict":500},"num_predict":«500|128»,"z":[{"num_predict":500}]}}',
        "num_predict=128",
    ),
    "words that read like it": Row(
        GENERATE,
        '{"prompt":"\\"options\\":{\\"num_predict\\":500}","model":"short",'
        '"options":{"stop":["\\"num_predict\\":500"],"num_predict":«500|128»}}',
        "num_predict=128",
    ),
    "numbers and texts of all kinds": Row(
        GENERATE,
        '{"a":1.0,"b":1e5,"c":-0,"d":12345678901234567890123,"e":"\\ud83d\\ude00\\/é😀\u2028",'
        '"f":"\\ud800","model":"short","prompt":"\\u0000","options":{"num_predict":«9e9|128»}}',
        "num_predict=128",
    ),
    "a text": Row(GENERATE, option('"num_predict":"500"')),
    "a truth": Row(GENERATE, option('"num_predict":true')),
    "a list": Row(GENERATE, option('"num_predict":[500]')),
    "options that are a list": Row(GENERATE, '{"model":"short","prompt":"x","options":[500]}'),
    "options that are a text": Row(GENERATE, '{"model":"short","prompt":"x","options":"{}"}'),
    "twice": Row(
        GENERATE,
        option('"num_predict":500,"num_predict":5'),
        refused='option "num_predict" occurs twice',
    ),
    "twice, once with escapes": Row(
        GENERATE,
        option('"num_predict":5,"num_pr\\u0065dict":500'),
        refused='option "num_predict" occurs twice',
    ),
    "options twice": Row(
        GENERATE,
        '{"model":"short","prompt":"x","options":{"num_predict":5},"options":{}}',
        refused='"options" occurs twice',
    ),
    "options in another case": Row(
        GENERATE,
        '{"model":"short","prompt":"x","Options":{"num_predict":500}}',
        refused='must be written "options"',
    ),
    "options by a letter that Go takes for an s": Row(
        GENERATE,
        '{"model":"short","prompt":"x","option\u017f":{"num_predict":500}}',
        refused='must be written "options"',
    ),
    "a default alone bounds nothing": Row(GENERATE, option('"num_predict":100000', "plain")),
    "a bound without a default": Row(
        GENERATE,
        '{«|"options":{"num_predict":128},»"model":"bound","prompt":"x"}',
        "num_predict=128",
    ),
    "what only loads": Row(GENERATE, '{"model":"short","options":{"num_predict":500}}'),
    "what has no tokens": Row(EMBED, '{"model":"short","input":"x"}'),
    # The same under /v1.
    "v1 absent": Row(V1, '{«|"max_tokens":64,»"model":"short","messages":[]}', "max_tokens=64"),
    "v1 null": Row(V1, '{"model":"short","max_tokens":«null|64»,"messages":[]}', "max_tokens=64"),
    "v1 too many": Row(
        COMPLETIONS, '{"model":"short","prompt":"x","max_tokens" :«129|128» }', "max_tokens=128"
    ),
    "v1 none": Row(
        COMPLETIONS, '{"model":"short","prompt":"x","max_tokens":«0|128»}', "max_tokens=128"
    ),
    "v1 less than none": Row(
        COMPLETIONS, '{"model":"short","prompt":"x","max_tokens":«-7|128»}', "max_tokens=128"
    ),
    "v1 both names": Row(
        V1,
        '{"model":"short","max_completion_tokens":«600|128»,"messages":[],"max_tokens":«500|128»}',
        "max_completion_tokens=128, max_tokens=128",
    ),
    "v1 both names, one too many": Row(
        V1,
        '{"model":"short","max_completion_tokens":«600|128»,"messages":[],"max_tokens":5}',
        "max_completion_tokens=128",
    ),
    "v1 both names, none too many": Row(
        V1, '{"model":"short","max_completion_tokens":6,"messages":[],"max_tokens":5}'
    ),
    "v1 both names null": Row(
        V1,
        '{"model":"short","max_completion_tokens":null,"messages":[],"max_tokens":«null|64»}',
        "max_tokens=64",
    ),
    "v1 the newer name alone": Row(
        V1,
        '{"model":"short","messages":[],"max_completion_tokens":«500|128»}',
        "max_completion_tokens=128",
    ),
    "v1 the newer name where it is none": Row(
        COMPLETIONS,
        '{«|"max_tokens":64,»"model":"short","prompt":"x","max_completion_tokens":500}',
        "max_tokens=64",
    ),
    "v1 a number that Go does not take": Row(
        V1, '{"model":"short","messages":[],"max_tokens":500.0}'
    ),
    "v1 an exponent that Go does not take": Row(
        V1, '{"model":"short","messages":[],"max_tokens":5e2}'
    ),
    "v1 more than any integer": Row(
        V1, '{"model":"short","messages":[],"max_tokens":99999999999999999999}'
    ),
    "v1 a text": Row(V1, '{"model":"short","messages":[],"max_tokens":"500"}'),
    "v1 members of other objects": Row(
        V1,
        '{«|"max_tokens":64,»"model":"short","messages":[{"max_tokens":500,"content":"max_tokens"}],'
        '"tools":[{"model":"x","max_tokens":1}],"options":{"num_predict":500}}',
        "max_tokens=64",
    ),
    "v1 twice": Row(
        V1,
        '{"model":"short","messages":[],"max_tokens":5,"max_tokens":500}',
        refused='"max_tokens" occurs twice',
    ),
    "v1 by a letter that Go takes for a k": Row(
        V1,
        '{"model":"short","messages":[],"max_to\u212aens":500}',
        refused='must be written "max_tokens"',
    ),
    "responses": Row(
        RESPONSES,
        '{"model":"short","input":"x","max_output_tokens":«129|128»,"max_tokens":999}',
        "max_output_tokens=128",
    ),
    "messages": Row(
        MESSAGES,
        '{"model":"short","messages":[],"max_tokens":«4096|128»,"metadata":{"max_tokens":4096}}',
        "max_tokens=128",
    ),
    # How long a context is.
    "context absent": Row(
        GENERATE, '{«|"options":{"num_ctx":6000},»"model":"ctx","prompt":"x"}', "num_ctx=6000"
    ),
    "context null": Row(GENERATE, option('"num_ctx":«null|6000»', "ctx"), "num_ctx=6000"),
    "context that is none": Row(GENERATE, option('"num_ctx":«0|6000»', "ctx"), "num_ctx=6000"),
    "context below none": Row(GENERATE, option('"num_ctx":«-5|6000»', "ctx"), "num_ctx=6000"),
    "context too long": Row(EMBED, option('"num_ctx":«10001|10000»', "ctx-long"), "num_ctx=10000"),
    "context without end": Row(
        GENERATE, option('"num_ctx":«1e99|10000»', "ctx-long"), "num_ctx=10000"
    ),
    "context with a fraction": Row(GENERATE, option('"num_ctx":8192.5', "ctx-part")),
    "context as a text": Row(GENERATE, option('"num_ctx":"8192"', "ctx-odd")),
    "context as an object": Row(GENERATE, option('"num_ctx":{"num_ctx":1}', "ctx-odd")),
    "context twice": Row(
        GENERATE, option('"num_ctx":1,"num_ctx":2', "ctx"), refused='"num_ctx" occurs twice'
    ),
    "no rule, no context": Row(GENERATE, option('"num_ctx":«0|null»', "plain"), "num_ctx=default"),
    # How long a model is kept.
    "kept absent": Row(
        GENERATE, '{«|"keep_alive":86400,»"model":"kept","prompt":"x"}', "keep_alive=24h"
    ),
    "kept as a text": Row(
        CHAT,
        '{"model":"kept","keep_alive": «"5m"|86400» ,"messages":[{"keep_alive":1}]}',
        "keep_alive=24h",
    ),
    "kept with escapes": Row(
        GENERATE,
        '{"model":"kept","prompt":"x","keep\\u005falive":«"\\u0035m"|86400»}',
        "keep_alive=24h",
    ),
    "kept null": Row(
        GENERATE, '{"model":"kept","prompt":"x","keep_alive":«null|86400»}', "keep_alive=24h"
    ),
    "kept as nonsense": Row(
        GENERATE,
        '{"model":"kept","prompt":"x","keep_alive":«{"a":[1, {"b":"}"}]}|86400»}',
        "keep_alive=24h",
    ),
    "kept in the options, where it is none": Row(
        GENERATE,
        '{«|"keep_alive":86400,»"model":"kept","prompt":"x","options":{"keep_alive":1}}',
        "keep_alive=24h",
    ),
    "kept without a rule": Row(GENERATE, '{"model":"plain","prompt":"x","keep_alive": "5m" }'),
    "kept twice": Row(
        GENERATE,
        '{"model":"kept","prompt":"x","keep_alive":1,"keep_alive":2}',
        refused='"keep_alive" occurs twice',
    ),
    # Which model.
    "alias": Row(
        GENERATE, '{"prompt":"mine \\"model\\":\\"mine\\"","model":«"mine"|"plain"»}', "model=plain"
    ),
    "alias in odd writing": Row(
        GENERATE,
        '{"prompt":"x",\r\n\t"mo\\u0064el"\t:\n«"M\\u0069NE:latest"|"plain"»\r\n}',
        "model=plain",
    ),
    "alias among others": Row(
        V1,
        '{"messages":[{"role":"user","model":"mine"}],"model":«"mine"|"plain"»,"x":{"model":"mine"}}',
        "model=plain",
    ),
    "alias of a model with rules": Row(
        V1,
        '{«|"max_tokens":64,»"messages":[],"model":«"hf.co/My/Model:Q4"|"short"»}',
        "model=short, max_tokens=64",
    ),
    "fallback": Row(GENERATE, '{"model":«"gone"|"plain"»,"prompt":"gone"}', "model=plain"),
    "everything at once": Row(
        CHAT,
        '{ "options" : {«|"num_predict":64,» "top_p":1e-3 , "top_k":20},"messages":[{"content":"é"}]'
        ' , "model" : «"HF.co/my/model:q4"|"short"»}',
        "model=short, num_predict=64",
    ),
    "alias twice": Row(
        GENERATE,
        '{"model":"mine","model":"plain","prompt":"x"}',
        refused='"model" occurs twice',
    ),
    "no rule at all": Row(
        GENERATE,
        ' {"x":[1,2.50,{"y":null}] , "model":"plain","prompt":"\\u00e9é","options":{"num_predict":-2}} ',
    ),
}

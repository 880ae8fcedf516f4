"""The line of each key in a TOML file is the one on which a reader finds it."""

from platform_lib.config._toml_lines import lines_of_keys

text = '''\
environment = "test"     # 1 \u2028 is no end of a line

[http]                   # 3
port = 8080
"host" = """
port = 1
[nats]
"""
limits.body = 5          # 9

[ provider . sandbox ]
url = 'x'
headers = { a = 1 }
tags = [
    "a = b",
]
note = """one line"""
last = 1                 # 18
'''


def test_keys_stand_on_the_lines_where_they_are_assigned() -> None:
    assert lines_of_keys(text) == {
        ("environment",): 1,
        ("http",): 3,
        ("http", "port"): 4,
        ("http", "host"): 5,
        ("http", "limits", "body"): 9,
        ("provider", "sandbox"): 11,
        ("provider", "sandbox", "url"): 12,
        ("provider", "sandbox", "headers"): 13,
        ("provider", "sandbox", "tags"): 14,
        ("provider", "sandbox", "note"): 17,
        ("provider", "sandbox", "last"): 18,
    }

"""The engine that asks model servers over HTTP. Begin with `engine`.

`engine` turns asks into requests and pieces of replies into answers; `replicas` chooses a server for each request and
sends it again when that fails; `dialects` knows the fields of each kind of server; `client` makes the HTTP requests.
"""

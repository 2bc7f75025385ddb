"""The catalogue: offerings and bundles, read from packs, checked, published as versions.

`rules` reads a pack's files and names every fault with its file, line and key; `actions`
publishes; `queries` returns what is published, compiled once per version and process. A published
version never changes.
"""

"""A run as one file: export and import of an archive, which is not trusted.

pack.py writes archives and takes them in; unpack.py reads the files of an untrusted one. Begin with pack.py.
"""

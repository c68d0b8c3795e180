"""A company's existing help desk, answered inside its own database.

    rows ──> watching ──> lanes ──> working ──> inbox          (coming in)
    rows <── writing <── connector <── inbox                   (going out)

A mapping file says what stands where in that database:

mapping.py    the file                        schema.py    the file held against the real tables
reading.py    tickets as the file describes   writing.py   replies and notes, each once
watching.py   new rows, late ones too         files.py     attachments: blobs, paths, URLs
proposing.py  a mapping made from a schema    solved.py    solved tickets as articles
"""

"""
Spoilt files for the reader of feeds: whatever a file holds, it is read or refused.

    python -m tests.fuzz --inputs 1000000

    corpus     files of every kind to begin with
    mutating   what befalls them: bytes, text and cells
    shapes     and their shape: the members of an archive, the tags of XML
    tasting    reads one, and says what must not have happened
    running    does it a million times, within limits, in several processes
"""

"""Many files at any size: where they lie, who works on them, and what is kept so that a killed run goes on.

Never here: a record that depends on how many workers there were, or on what happened on the way.

Shared with extractions: ``entries`` lists files of folders, zips and object stores, ``sources`` opens them,
``plan`` and ``shares`` say who does which, ``engines`` names the places that workers live in, ``run`` tries
again what failed, ``store`` keeps what is done in ``places`` or ``buckets``, and ``estimate`` reckons.

Scans: ``opening`` joins ``listing``, ``plan`` and ``records``, ``judging`` does one file, which ``bringing``
may have to fetch, ``scanning`` all of them, ``forecast`` a few, ``watching`` those that arrive. A file's
``record`` becomes part of ``table`` and ``summary``.
"""

"""A page in the browser and its REST API: uploads and requests come in, verdicts, events and reports go out.

Never here: judging, decoding in the server's own process, or anything that a browser would fetch elsewhere.

``settings`` says what is allowed, ``site`` joins the parts, ``app`` has the routes. ``uploads`` streams
bodies to disk, ``incoming`` ends those that take too long or are deleted, ``store`` remembers scans,
``queue`` and ``slot`` let the processes of ``worker`` do them, ``events`` tells browsers what goes on,
``reports`` makes the reports, ``security`` stands before everything.
"""

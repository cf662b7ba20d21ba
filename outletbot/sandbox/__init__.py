"""The sandbox: other companies to practise on, on your own machine.

Each module (with its helpers of the same first name) is one company: a small server
that speaks the part of their HTTP API that outletbot uses, keeps its own state, and
goes wrong on demand. The real clients talk to it; only the base address differs. The
demo, the tests, the benchmarks and a retailer's rehearsal all run against it.
"""

"""The demo: a sample outlet, open for business, with a sandbox in place of the world.

stage      a clock that can be set, so that the outlet has a past
outlet     the retailer, its people, its offers and their pictures
story      its deals: one sold out, one open, one about to open
channels   its accounts on the networks: well, about to end, and broken
running    everything started together, on loopback only
"""

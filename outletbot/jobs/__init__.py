"""Work that no request waits for. Every job may run twice at once and may be killed.

running      the loop: every job at its own pace
opening      deals whose time has come open; those whose time is up close
marking_down prices fall by the plans that are armed
publishing   due posts go to their channels, to the instant
following    what is to be said of a deal that runs is planned
retiring     posts whose deal is over are edited, answered or deleted
keeping      accounts' tokens are renewed, and looked at once a day
measuring    how posts do is read back
beating      the worker says that it is alive
alarming     what is late or broken is told;  mailing
paying       holds get their payment page, and end by the provider's word
handling     arrivals are acted on
refunding    due refunds are asked of the provider
gathering    feeds come from addresses and folders, and are judged
telling      what was sold here is told to the retailers' own shops
delivering   due messages go out to the retailers' endpoints
rehearsing   rehearsals that were asked for are played

Feeds are checked and brought in by ``outletbot.importing``.
"""

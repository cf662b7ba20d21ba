"""Rehearsing: a deal is played in a copy, by a crowd, against a Stripe to practise on.

copies      a retailer's scenery in a database of its own
troupe      the real processes, web and worker, that serve the copy
house       the copy served, before practice ones of Stripe and the networks
mishaps     what goes wrong meanwhile, from a seed
nature      what a shopper is like
browser     a shopper's phone
shopper     what a shopper does, from the link to a hold
diary       what the shoppers were told, for the audit
payer       and from a hold to an order
crowd       all of them at once
bank        lets bank debits come, or not
watching    how the deal stands, until everything is settled
counting    the report
playing     all of it together
"""

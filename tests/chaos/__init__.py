"""
The history test: a service that is being killed all the time sells to shoppers who
write down what they were told, and is then asked for every bit of it.

    history     how long, how much of it, and what came of it
    scenery     the retailer, its deals, and a merchant who is signed in
    cluster     a PostgreSQL that can be crashed, with fsync on
    companies   a Stripe and a Mastodon to practise on, with their bad days
    services    web and worker processes, started again whenever they are gone
    mischief    who is killed, and when
    journal     what the shoppers asked for and were told, line by line
    line        a shopper's connection
    shoppers    claim, double tap, give up, walk away, pay, reserve and redeem
    audit       the journal against the database and the companies' books
    playing     all of it together

``make chaos`` runs it; ``python -m tests.chaos --help`` says what can be chosen.
"""

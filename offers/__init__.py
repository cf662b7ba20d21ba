"""What is for sale, how many are left, and who has a claim on them.

The modules are listed in the order in which goods move through them; a module
may import from those above it and never from those below.

    money, ids, columns, drivers, sentences, errors    the vocabulary
    leases       rows that are due, taken for a while
    retailers    who sells; every other row belongs to one
    honesty      what a price before is, by country;  honesty_prior, honesty_seasons,
                 honesty_words, honesty_costs
    merchants    a retailer's people, and how they sign in
    accounts     a retailer's channels: the social accounts we post to
    templates    how a retailer words its posts
    pictures     images of goods, kept small
    feed         a retailer's file becomes rows
    declarations  what a retailer says was charged before that;  declaring
    prices       what was charged and when: the evidence for a struck-through price
    catalog      offers: one product at one retailer;  products: of variants elsewhere
    comparing    what the rows of a feed would change;  levels, placing: by place
    newcomers    many new offers at once
    shelving     rows of a feed become offers;  befores: what they were
    stock        what the retailer has, and every change of it
    pieces       a feed's file, kept in parts while it is needed
    imports      a feed on its way in: checked, confirmed, imported
    sources      feeds that come by themselves;  bringing, judging,
                 source_tokens
    bad_rows     what could not be read, to be mended
    echoes       what was sold here, owed to the shops that keep the same stock
    deals        an offer at a lower price, for a limited time
    allotments   the units of an offer, shared out among its deals
    markdowns    a deal's price falls in steps;  markdown_plans, markdown_steps,
                 curves
    sell_through  what became of past deals
    tellings     how the shops are told, each once;  shop_troubles
    planning     what a merchant asks for becomes a deal
    proposals    what to let go first;  rules, ranking, proposed_prices
    weeks        many deals planned in one go;  spreading, slots
    posts        a deal announced on a channel, and what is said of it later
    evidence     what each post relied on, kept for good
    posting      how it gets out, once;  follow_ups, allowances, departures
    keeping      accounts are kept open;  choices, reminders, numbers
    planned      posts that are to go out, and whether they will;  readiness, beats
    alarms       what is late or broken;  letters
    calendar     deals and posts by their time, and where they clash
    moving       what people change of that: the time, who agrees, whether it waits
    clicks       shoppers arriving from a post
    checkouts    the provider's word on a payment page
    payment_accounts  whose money it is
    pacing       turns to write to the provider
    holds        units set aside while a shopper pays
    claims       shoppers' wishes for units, granted in batches
    payment_pages  what a hold asks the provider for
    reconciling  holds the provider is asked about, whether it told us or not
    readings     how far the provider's lists were read
    orders       a hold that was paid for
    refunds      money to give back, until the provider has
    refund_news  what the provider says of the refunds of a payment
    disputes     payments that a shopper's bank wants back
    returns      an order given back by a merchant: its money, its units
    ledger       what the provider's books say of each retailer's money
    settlements  what is left of each order in the provider's books
    differences  where those books and ours do not say the same
    agreement    whether they do, and what remains of the sales
    rehearsals   a deal played in a copy;  stages, audits, reports
    wall         what shoppers see
    summary      what the retailer sees
"""

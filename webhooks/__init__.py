"""The protocol we speak with other companies' machines, without the sockets.

signing     prove who sent a body
inbox       what arrived: once each, whatever the sender repeats
settling    what the payment provider's word means for holds, orders and refunds
handlers    what an arrival means for offers
telling     what a sale or a return means for the retailer's own shops
messages    what we say: order.paid, stock.changed, deal.closed
outbox      what we owe others: written with the change, sent after it
"""

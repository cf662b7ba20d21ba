# ruff: noqa: E501 — a header line is a line
"""
A report of what was sold, in place of a list of what is there, is refused with the
reason: its quantities are sold already.
"""

import pytest

from tests.offers.feed.feeds import refusal_of

REPORTS = {
    "square items": "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,Discounts,Net Sales,Tax,Transaction ID,Payment ID,Device Name,Event Type,Location",
    "square summary": "Item Name,Item Variation,Category,SKU,Items Sold,Gross Sales,Items Refunded,Refunds,Discounts & Comps,Net Sales,Tax",
    "loyverse summary": "Item name,SKU,Category,Items sold,Gross sales,Items refunded,Refunds,Discounts,Net sales,Cost of goods,Gross profit,Margin,Taxes",
    "loyverse receipts": "Date,Receipt number,Receipt type,Category,SKU,Item,Variant,Quantity,Gross sales,Discounts,Net sales,Cost of goods,Gross profit,Taxes,POS,Store,Cashier name",
    "shopify": "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Vendor",
    "amazon": "order-id,order-item-id,purchase-date,payments-date,buyer-email,buyer-name,sku,product-name,quantity-purchased,currency,item-price,item-tax",
    "ebay": "Sales Record Number,Order Number,Buyer Username,Buyer Name,Item Number,Item Title,Custom Label,Quantity,Sold For,Total Price,Sale Date",
    "woocommerce": "Order Number,Order Status,Order Date,Customer Note,SKU,Item #,Item Name,Quantity (- Refund),Item Cost,Coupon Code",
    "lightspeed x": "Sale Date,Invoice Number,Product,SKU,Customer,Quantity,Total Revenue,Cost of Goods,Gross Profit,Margin",
    "etsy, which has a price": "Sale Date,Item Name,Buyer,Quantity,Price,Coupon Code,Discount Amount,Item Total,Currency,Transaction ID,Listing ID,Date Paid,Order ID,SKU",
    "french till": "Date,Ticket,Code article,Libellé,Qté vendue,CA TTC,Remise",
    "purchase order": "SKU,Product,Quantity ordered,Quantity received,Supplier price",
}


@pytest.mark.parametrize("header", REPORTS.values(), ids=REPORTS)
def test_is_refused_for_what_it_is(header: str) -> None:
    row = ",".join("1" for _ in header.split(","))

    refusal = refusal_of(f"{header}\n{row}\n")

    assert refusal.startswith("This looks like a report of past orders")

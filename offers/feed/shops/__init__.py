"""The dialects, as data: one module for each shop, or kind of shops.

A new shop is a new entry here; only a way of arranging rows that nobody had before
needs code, in ``offers.feed.families``.

    kinds       what a dialect says;  mending: what several put right
    web shops   shopify, woocommerce, prestashop, magento, wix, spree, bagisto,
                shopware, medusa, commercetools, ikas, samples (smaller ones)
    stock       shopify_inventory, and a part of magento and commercetools
    tills       square, lightspeed, loyverse, tills (French ones)
    markets     google, meta, amazon, ebay
"""

"""The practice town: far sides that speak the real protocols, on this machine only, with faults on demand.

The product reaches it over sockets and imports nothing of it; it imports nothing of the product.
"""

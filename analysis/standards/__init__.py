"""Names at the border: the datasets as CDISC standards want them."""

-- roundtrip.sql - writes a table as CSV, reads it back, and compares the two.
-- Run with this folder mounted as /data and an empty one as /out.

IMPORT products FROM '/data/products.csv';
INSERT INTO products VALUES (25, 'line one
line two', NULL, 0.5);
EXPORT products TO '/out/copy.csv';
IMPORT copy FROM '/out/copy.csv';
SELECT count(*) AS same FROM products p JOIN copy c ON p.id = c.id AND p.name = c.name AND p.price = c.price;
SELECT * FROM copy WHERE kind IS NULL;
SELECT missing FROM copy;

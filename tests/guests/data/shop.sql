-- shop.sql - exercises every statement and operator of minisql over the shop's tables.

IMPORT customers FROM 'customers.csv';
IMPORT products FROM 'products.csv';
IMPORT orders FROM 'orders.csv';

-- Filters, expressions and ordering
SELECT id, name, city FROM customers WHERE name LIKE '%o''n%' OR name LIKE 'In_s%' ORDER BY name, id;
SELECT name, price, round(price * 1.25, 2) AS gross, CASE WHEN price < 100 THEN 'low' WHEN price < 300 THEN 'middle' ELSE 'high' END AS class
FROM products WHERE kind IN ('Desk', 'Lamp', 'Sofa') AND price BETWEEN 40 AND 900 ORDER BY price DESC LIMIT 8 OFFSET 1;
SELECT upper(substr(name, 1, 3)) || '-' || id AS code, length(name) AS letters, -abs(since - 2020) AS distance
FROM customers WHERE city IS NULL AND NOT since % 2 = 0 ORDER BY 1;
SELECT DISTINCT kind FROM products ORDER BY kind;

-- Aggregates
SELECT count(*) AS orders, count(DISTINCT customer) AS buyers, sum(quantity) AS pieces, min(month) AS first, max(month) AS last, round(avg(quantity), 4) AS mean FROM orders;
SELECT coalesce(city, '(unknown)') AS town, count(*) AS people, min(since) AS earliest FROM customers GROUP BY city ORDER BY people DESC, town;
SELECT count(*) AS none, sum(quantity) AS total FROM orders WHERE quantity > 100;

-- Joins
SELECT p.kind, sum(o.quantity) AS pieces, round(sum(o.quantity * p.price), 2) AS revenue, count(DISTINCT o.customer) AS buyers
FROM orders o JOIN products p ON o.product = p.id
WHERE o.status = 'paid' GROUP BY p.kind HAVING sum(o.quantity) > 500 ORDER BY revenue DESC;

SELECT c.name, c.city, count(*) AS orders, round(sum(o.quantity * p.price), 2) AS spent
FROM orders AS o JOIN customers AS c ON c.id = o.customer JOIN products AS p ON p.id = o.product
WHERE o.status <> 'returned' GROUP BY c.id ORDER BY spent DESC LIMIT 10;

SELECT count(*) AS rows, count(o.id) AS large_returns FROM customers c LEFT JOIN orders o ON o.customer = c.id AND o.status = 'returned' AND o.quantity > 3;
SELECT c.id, c.name FROM customers c LEFT JOIN orders o ON c.id = o.customer WHERE o.id IS NULL ORDER BY c.id LIMIT 5;
SELECT a.name AS dearer, b.name AS cheaper FROM products a JOIN products b ON a.price > b.price * 20 ORDER BY a.price DESC, b.price LIMIT 6;
EXPLAIN SELECT p.kind, sum(o.quantity) FROM orders o JOIN products p ON o.product = p.id LEFT JOIN customers c ON c.id < o.customer WHERE o.month > 6 GROUP BY p.kind ORDER BY 2;

-- Changing data
CREATE TABLE monthly AS SELECT o.month, p.kind, sum(o.quantity) AS pieces FROM orders o JOIN products p ON p.id = o.product GROUP BY o.month, p.kind ORDER BY o.month, p.kind;
SELECT month, sum(pieces) AS pieces, max(pieces) AS best FROM monthly GROUP BY month ORDER BY month;
UPDATE monthly SET pieces = pieces / 2, kind = upper(kind) WHERE month % 3 = 0 AND kind LIKE 's%';
SELECT month, kind, pieces FROM monthly WHERE kind LIKE 'S%' AND month <= 3 ORDER BY month, kind;
DELETE FROM monthly WHERE pieces < 60 OR month NOT BETWEEN 2 AND 11;
SELECT count(*) AS remaining, sum(pieces) AS pieces FROM monthly;

CREATE TABLE notes (id INTEGER, body TEXT, score REAL);
INSERT INTO notes VALUES (1, 'quotes "and" commas, both', 1.5), (2, NULL, -2.25), (3, 'plain', 10 / 4), (4, 'two
lines', 10 / 4.0), (5, 'unknown', 1 / 0);
SELECT * FROM notes WHERE body IS NOT NULL AND NOT body LIKE '%lines' ORDER BY score DESC;
SELECT id, NULL AND id > 1 AS three_valued, NULL OR id > 1 AS either, id IN (1, NULL) AS member FROM notes ORDER BY id;
DROP TABLE notes;

-- Precedence, and operators in each other's arguments.
bo = i BETWEEN 1 AND 3
i = 3 IS TRUE
i + 1 BETWEEN 1 + 1 AND 3 * 3
NOT bo IS NULL
NOT i = 3 OR bo
- i * 2
-i + -b
i - -(-i)
s || 'a' = 'aa'
bo AND NOT bo OR bo
i > 0 = bo
i > 0 IS NOT TRUE AND bo
CASE WHEN bo THEN 1 END + 1
i IN (1, 2) OR bo
bo = i IN (1, 2, 3)
NOT i BETWEEN 1 AND 2 AND bo
7 / (ABS(ti % 2) + 2) * 2
i % 3 * 2
2 + 3 * i - 4
NOT NOT bo
i < b AND b < 100 OR d > 1e0 AND NOT bo
i = 3 OR i = 10 AND bo
b IN (i, 3)
b IN (ti, i)
ti IN (1, 2, 127)
d IN (1e0, 2.5, -2.5)
f IN (d, i)
d > 0.5 AND d < 2.6
NOT (d > 0.5 AND d < 2.6)
d > 1e0 AND d < 2.6e0
d >= 1 AND d <= 3
f > 1 AND f < 2
i > 1 AND i > 3
i > 3 AND i < 3
i IS NULL OR i > 3
i IS NOT NULL AND i > 3
s = 'a' OR s = 'abc' OR s = ''
CASE WHEN d > 0.5 THEN 'high' WHEN d > 0.1 THEN 'low' ELSE 'none' END
CASE WHEN s = 'a' THEN UPPER(s) ELSE s || CAST(CHAR_LENGTH(s) AS STRING) END
CASE WHEN bo THEN i ELSE NULL END IS NULL
COALESCE(CASE WHEN bo THEN i END, b) + 1
CASE WHEN CASE WHEN bo THEN i > 0 ELSE i < 0 END THEN 'yes' ELSE 'no' END
CAST(i AS DOUBLE) / 4 + d
CAST(CAST(d AS FLOAT) AS DOUBLE) = d
(EXTRACT(HOUR FROM t9) + 1) * 60 + EXTRACT(MINUTE FROM t9)
FLOOR(d) + CEIL(d)
ROUND(i / 3e0, 2) * 100
ABS(i - b) > 10 AND EXP(-ABS(ti)) < 0.5
1e0 / (1e0 + EXP(-ti))
CAST(YEAR(da) AS STRING) || '-' || CAST(MONTH(da) AS STRING)
CHAR_LENGTH(CAST(d AS STRING)) + CHAR_LENGTH(s || v)
CASE WHEN da < DATE '2000-01-01' THEN FLOOR(da TO YEAR) ELSE da END
CASE WHEN t3 >= TIMESTAMP '2013-01-01 00:00:00' AND t3 < TIMESTAMP '2014-01-01 00:00:00' THEN HOUR(t3) END

-- Three-valued logic, and what is not evaluated.
bo AND i > 0
bo OR i > 0
NOT bo
NOT bo AND i > 0
NOT (bo AND i > 0)
NOT (bo OR i > 0)
bo AND UNKNOWN
bo OR UNKNOWN
bo IS NULL
bo IS NOT NULL
bo IS TRUE
bo IS NOT TRUE
bo IS FALSE
bo IS NOT FALSE
bo IS UNKNOWN
bo IS NOT UNKNOWN
(i > 0) IS TRUE
NOT (bo IS TRUE)
NULL IS NULL
i IS NULL
d IS NOT NULL
s IS NULL
t9 IS NOT NULL
i + b IS NULL
i <> 0 AND 10 / i > 0
i = 0 OR 10 / i > 0
i <> 0 AND (b > 0 OR 10 / i > 0) AND d > 0
bo AND i > 0 AND b > 0 AND d > 0e0
bo OR i > 0 OR b > 0 OR d > 0e0
bo OR i > 0 AND b > 0

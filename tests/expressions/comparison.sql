-- Numbers by value, NaN and -0.0, strings by bytes, exact numbers, ranges and lists.
i = 3
i <> 3
i < b
i <= ti
b >= i
b = i
i > f
b > f
b = f
f = i
f < d
f = d
d = f
d >= f
d > 5e-1
d < 0
d = 0e0
d > 0.5
d < 0.5
d >= -0.0
d <= 0.0
d = 0.0
d <> 0.5
f > 0.1
f = 0.1
f < 0.2
0.5 < d
i > 0.5
i < -6.5
i >= 3.0
i = 0.5
i <> 0.5
0.5 < i
d = d
d <> d
d < d
(d - d) = 0e0
NOT d > 5e-1
NOT (d < d + 1)
NOT (d = 0e0)
d BETWEEN 0e0 AND 1e0
d NOT BETWEEN 0e0 AND 1e0
d BETWEEN 0.0 AND 1.0
i BETWEEN 1 AND 10
i NOT BETWEEN 1 AND 10
i BETWEEN ti AND b
i BETWEEN SYMMETRIC 10 AND 1
i BETWEEN SYMMETRIC ti AND b
i NOT BETWEEN SYMMETRIC 10 AND 1
s BETWEEN 'a' AND 'b'
i BETWEEN d AND b
i IN (1, 2, 3)
i NOT IN (1, 2, 3)
i IN (3)
b IN (i, 3)
b NOT IN (i, 3)
i IN (1, NULL, 3)
i NOT IN (1, NULL, 3)
b IN (1, 4, 9223372036854775807)
d IN (0, 1)
d IN (0.0, 2.5)
d NOT IN (0.0, 2.5)
f IN (0.1, 0.2)
s IN ('abc', 'a', '')
s NOT IN ('abc', NULL)
s IN (v, 'abc')
da IN (DATE '2024-02-29', DATE '1969-12-31')
s = v
s < v
s < 'b'
s > ''
s = 'a'
c = 'abc'
c >= 'abc'
s <> 'Hello World'
bo = TRUE
bo <> FALSE
bo < bo
bo > FALSE
bo = (i > 0)
da > '2000-01-01'
da = '2024-02-29'
da < DATE '1970-01-01'
t3 > '2000-01-01 00:00:00'
t9 >= TIMESTAMP '2013-12-24 18:30:15.123456789'
t9 > t3
t9 = t3
t0 <= t9
v > 10
v <= 5
10 > v
v < b
v > d
v BETWEEN 1 AND 50
i < 3 < TRUE
i = 1 = TRUE

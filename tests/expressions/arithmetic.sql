-- Types of results, wrap-around, division, remainders, signs, decimal literals beside floats.
i + b
ti + ti
ti * ti
ti - i
si * si
i * i
b * b
b + 1
i - -1
i / 2
b / 7
i % 3
b % 3
3 % (ABS(i % 5) + 1)
MOD(b, 7)
-ti
-si
-i
-b
-f
-d
- i + 1
+ i
f * i
f + b
f + d
d + f
d * f
d + 0.5
f + 0.5
f / 3
f / 0
d / 0
d * 0
0 / d
10 / d
d - d
1e3 * i
2147483647 + i
2147483648 + i
-2147483648 - i
-9223372036854775808 + b
(i + 1) * 2 - i / 3 * 4
i - 2 - 1

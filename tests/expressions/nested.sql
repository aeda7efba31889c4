-- ARRAY, MAP and ROW: elements, values, fields. The columns are made by nested-columns.txt.
ai[1]
ai[2]
ai[3]
ai[4]
ai[5]
ai[1] + ai[4]
ai[CAST(2 AS INT)]
al[1]
al[2]
af[1]
af[2]
af[3] * 2
ab[1]
ab[2]
ab[1] AND bo
ats[1]
ats[3]
ats[4]
UPPER(ats[4])
CHAR_LENGTH(ats[1])
ats[2] || s
ad[1]
ad[2]
ad[1] + ad[2]
at9[1]
at9[2]
EXTRACT(YEAR FROM at9[1])
ada[1]
aa[1]
aa[2]
aa[1][2]
aa[2][3]
aa[2][4]
aa[3]
CARDINALITY(ai)
CARDINALITY(ats)
CARDINALITY(aa)
CARDINALITY(aa[2])
CARDINALITY(ar)
CARDINALITY(ms)
CARDINALITY(mi)
CARDINALITY(ma['a'])
CARDINALITY(ai) > 3
ELEMENT(ada)
ARRAY_CONTAINS(r.l, 9)
ARRAY_CONTAINS(r.l, i)
ARRAY_CONTAINS(r.l, 123456)
CASE WHEN b IS NOT NULL THEN ARRAY_CONTAINS(al, b) END
CASE WHEN d IS NOT NULL AND f IS NOT NULL THEN ARRAY_CONTAINS(af, 0e0) END
CASE WHEN s IS NOT NULL AND n IS NOT NULL THEN ARRAY_CONTAINS(ats, 'one') END
CASE WHEN s IS NOT NULL AND n IS NOT NULL THEN ARRAY_CONTAINS(ats, s) END
CASE WHEN s IS NOT NULL AND n IS NOT NULL THEN ARRAY_CONTAINS(ats, 'two') END
CASE WHEN bo IS NOT NULL THEN ARRAY_CONTAINS(ab, TRUE) END
CASE WHEN da IS NOT NULL THEN ARRAY_CONTAINS(ada, da) END
NOT ARRAY_CONTAINS(r.l, 8)
ms['one']
ms['two']
ms['three']
ms['four']
ms[s]
COALESCE(ms['four'], ms['two'])
mi[1]
mi[2]
mi[i]
mi[7]
md[da]
md[DATE '2013-12-24']
ma['a']
ma['a'][2]
ma['b']
r.x
r.y
r.z
r.l
r.z.q
r.z.tt
r.l[1]
r.l[2]
r.x + 1
r.y || r.y
r.z.q / 2
EXTRACT(HOUR FROM r.z.tt)
CASE WHEN r.x > 0 THEN r.y ELSE 'no' END
CASE WHEN bo THEN ai ELSE r.l END
CASE WHEN bo THEN ai[1] ELSE CARDINALITY(ai) END
COALESCE(ai[3], ai[4])
ai IS NULL
ms IS NULL
r IS NULL
ai[1] IS NOT NULL
ai
ats
ms
r
ar
ar[1]
ar[2].y
ar[1].x
ai[1] IN (1, 3, 5)
ats[1] LIKE '%e%'

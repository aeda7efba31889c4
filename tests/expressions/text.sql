UPPER(s)
LOWER(s)
UPPER(v)
LOWER(c)
CHAR_LENGTH(s)
CHARACTER_LENGTH(v)
CHAR_LENGTH(c)
CHAR_LENGTH('')
s || v
s || 'x'
c || 'x'
'[' || s || ']'
v || v
s || s || 'x'
'it''s' || c
UPPER(s) || LOWER(s) || CAST(i AS STRING)
CASE WHEN CHAR_LENGTH(s) > 3 THEN s || '...' ELSE s END

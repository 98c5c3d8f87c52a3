begin;
select plan(2);
select is(nofx_private.is_sealed(tap.sealed('x')), true);
select is_empty($$ select text from unnest(array[null, '', 'whsec_a', 'https://example.com', 'sealed.', 'sealed.k1.d3Jh', 'sealed.k1.d3Jh.', 'sealed.k 1.d3Jh.dXJs',
  'sealed.k1.d3Jh.dXJs.x', 'sealed.k1.d3Jh.dXJs' || chr(10) || 'plain', ' sealed.k1.d3Jh.dXJs']) as text where nofx_private.is_sealed(text) $$);
select * from finish();
rollback;

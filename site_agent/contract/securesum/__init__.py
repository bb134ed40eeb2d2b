"""The secure sum: fixed-point lanes, pairwise masks, and the transcript they are bound to.

Notation: S sites, lane width 64 L bits, E fractional bits. A number x becomes
q = rint(x 2^E) mod 2^(64 L) in two's complement. Site i sends

    y_i = q_i + sum over j > i of K_ij  -  sum over j < i of K_ij    (mod 2^(64 L))

with K_ij a key stream that only i and j know, so that the sum over sites is the sum of
the q_i and nothing else can be read. After Bonawitz et al. (CCS 2017), without
the recovery of dropped parties: hospitals are few and their servers come back.
"""

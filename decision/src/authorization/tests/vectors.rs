//! Keys made by openssl, and tokens signed by it.

/// A public key.
pub(super) const RSA_KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxRx61tEQ+OojPnmaI5mu\n\
JJRxTnWOZ8gbuYPJQZ7zqIlYo8/Dn696nuKFKHxZu3AIL/AfSCisDzl+b+zbKWBU\n\
Aodflu79GulBvDVV0YCnj/fiml4mCnZC1x5KRzwn+3Crm9+LpnkmG7ozzUlMM6yg\n\
RZLQ5j3doMv/mK6u0R6g6c8F+xRUj5JGstlDPrkKUcjXDPIRP5K4GDVBTh4RfeVY\n\
CSqpLVMshP5izi2yZ/ql5wpRoz0Ts8gikI+hAyg6AfYVVGNSo+DYzC1zYB6MnHaG\n\
Xfr1CsmNlEK7OCwWX34aptNZzxbqu4qf3Jvhnl2uTHiLjwHiZqdWw6gbtoSbhZUx\n\
qQIDAQAB\n\
-----END PUBLIC KEY-----";
/// A public key.
pub(super) const EC_KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExwMt2zbcbPI83Y7lHEoRX2HIppOO\n\
hu2dzOT9h472EeNBe5pdbXkr5eN6hCMKKi2nNRHEW4598hwqaMFk2mM27w==\n\
-----END PUBLIC KEY-----";
/// A public key.
pub(super) const ED_KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MCowBQYDK2VwAyEAFEzERPPgUVOQA8pAk1ZVBt6kZaB49eWjJ3QIruFt9Xw=\n\
-----END PUBLIC KEY-----";
/// `{"sub":"valod","exp":2000000000}`, signed with the key whose id is the algorithm in lower case.
pub(super) const RS256_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzMjU2In0.eyJzdWIiOiJ2YWxvZCIsImV4cCI6MjAwMDAwMDAwMH0.BtyIhT8zEB9As8rKeujZvdKuvf516_9_aBUz1lUyOGoWVED30sFthw2tfQjbfC20KjNiSRu4iGjDYVe4zUsBmMBvsfRf2uiWRyJSO4haKVsAPxemYWnw9D2QG_0zEMGzy_hbrA3tm0T2ZGxqfxwhUByGL5L_n4OQzYuK_4FIdrAt7f9RRmneTFXLmS5CHl-RA6YylrcZ7NN7A8YO9gRbPZV-aZNMHZdW7nWFnESt3HSqJSlE2bf82yRgqgJJJ1w689oLAy7SVLnlR0BPjT_hIrUbtbPYXnbvab1d7nc72Mck1aXtXrnU6YzUo6nDgsYwDMSl52zu8rAFOgPwFyL0OQ";
/// `{"sub":"valod","exp":2000000000}`, signed with the key whose id is the algorithm in lower case.
pub(super) const ES256_TOKEN: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVzMjU2In0.eyJzdWIiOiJ2YWxvZCIsImV4cCI6MjAwMDAwMDAwMH0.LN5MtCVy3ltp4ZQa4e1vdUdHXHht9Lbh45zbZFje4VkWAEo2M5XfhWR7DcSJ2eR5xvNrkW6A2UGmGdUIJII5hw";
/// `{"sub":"valod","exp":2000000000}`, signed with the key whose id is the algorithm in lower case.
pub(super) const EDDSA_TOKEN: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImVkZHNhIn0.eyJzdWIiOiJ2YWxvZCIsImV4cCI6MjAwMDAwMDAwMH0.ECmlzhORf7lPqTcSmx7AhThNjpjCxCJaOvlE6i9IQ3po0XqhPB5EN9m1JXXwUxgzc0Xt7WXxJddpLsJEb8T4AA";

/**
 * A certificate for localhost that signs itself, and its key, for tests alone: nobody trusts it.
 *
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 36500 -nodes -subj /CN=localhost
 *  -addext subjectAltName=DNS:localhost,IP:127.0.0.1`
 */
export const certificate: { readonly cert: string; readonly key: string } = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUQbkYToQngW6r7rnzkTtNKkEdm5UwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIwMDI0NVoYDzIxMjYxMDI5
MjAwMjQ1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARx2ON5ebXyAXnb7mR+NqSibkqetKrrtXa1wQ6p9V9DoqoWHT94Ev3d
byBfpsH47xIhpC6ZXjwZKZkGvnYCo/99o28wbTAdBgNVHQ4EFgQUY4WpLLxE2Xsr
5oT3fySAeZs9nb8wHwYDVR0jBBgwFoAUY4WpLLxE2Xsr5oT3fySAeZs9nb8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgDUIjet/C7FTxkMKQTSpjVRKo7Nnt9vXn9SL/4eSRB3gCIFoy
igr+O0TIKPNyzBzZ2NEQnDIYLYJoFmpRN2JKWplH
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgat1snBtg/9u27Coi
VPQ3eiUYkSGj91q85j0ec7YfJGehRANCAARx2ON5ebXyAXnb7mR+NqSibkqetKrr
tXa1wQ6p9V9DoqoWHT94Ev3dbyBfpsH47xIhpC6ZXjwZKZkGvnYCo/99
-----END PRIVATE KEY-----
`,
};

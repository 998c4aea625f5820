const crypto = require('crypto');

const before = crypto.fips;
if (!before) {
  crypto.fips = process.env.FIPS === '1' || crypto.fips;
}
console.log(before, crypto.fips);

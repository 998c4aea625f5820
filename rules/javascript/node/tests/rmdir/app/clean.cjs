const fs = require('fs');
const { rmdir } = require('fs/promises');

exports.all = async (path) => {
  fs.rmdirSync(path, { maxRetries: 3, recursive: true });
  await fs.promises.rmdir(path, { recursive: true });
  await rmdir(path, { recursive: true });
};
exports.empty = (path) => rmdir(path);

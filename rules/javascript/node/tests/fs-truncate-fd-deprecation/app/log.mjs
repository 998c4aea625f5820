import fs, { open, truncate } from 'node:fs';

export function clear(path, done) {
  open(path, 'r+', (error, file) => {
    if (error) return done(error);
    truncate(file, 0, done);
  });
}

export function cut(path) {
  const file = fs.openSync(path, 'r+');
  fs.truncateSync(file, 80);
  fs.truncateSync(path, 80);
}

import { mkdir, rmdir as remove } from 'node:fs';

export const again = (path, done) => remove(path, { recursive: true }, () => mkdir(path, done));

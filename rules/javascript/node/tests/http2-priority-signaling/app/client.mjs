import { connect } from 'node:http2';

const session = connect(origin, { priority: { weight: 1 } });
session.settings({ enablePush: false, priority: { weight: 9 } });
const stream = session.request({ ':path': '/' });
stream.priority({ weight: 3 });
stream.end();
jobs.add('mail', { priority: 2 });
jobs.first.priority(3);

const { argv, mainModule } = require('process');

if (mainModule === module) {
  run(argv.slice(2), process.mainModule.filename);
}

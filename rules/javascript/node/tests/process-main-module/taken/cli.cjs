const { mainModule } = process;

if (mainModule === module) {
  run();
}

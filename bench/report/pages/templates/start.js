startMachines(embedded("runs-data"));
if (document.getElementById("compare-data")) startCompare(embedded("compare-data"));

package analysis

// PageFile is the file of the page, within the folder of the results.
const PageFile = "report.html"

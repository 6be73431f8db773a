module logstat

go 1.24

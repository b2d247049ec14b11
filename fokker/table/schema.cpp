#include "fokker/table/schema.h"
